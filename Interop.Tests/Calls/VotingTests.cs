using Grpc.Core;
using Interop.Tests.Proto;
using Interop.Tests.Support;

namespace Interop.Tests.Calls;

/// <summary>Gitaly's own test of its backchannel: 25 clients of each kind at once, two votes each.</summary>
public sealed class VotingTests(GoPeerBinary binary)
{
    private const int Clients = 25;
    private const int Votes = 2;

    [Fact]
    public async Task Many_Go_clients_of_both_kinds_vote_at_our_server()
    {
        await using var server = await CSharpServer.StartAsync();
        await using var go = binary.Start("voting", "-connect", server.Address, "-clients", $"{Clients}", "-calls", $"{Votes}");

        Assert.Equal($"{2 * Clients}", await go.RestOfLineAsync("ok voting "));

        await go.SucceedAsync();
        Assert.Empty(go.Complaints);
        await server.EndAsync();
    }

    [Fact]
    public async Task Many_clients_of_ours_of_both_kinds_vote_at_a_Go_server()
    {
        await using var go = binary.Start("grpc-server");
        var address = await go.AddressAsync();

        await Task.WhenAll(Enumerable.Range(1, Clients).SelectMany(number => new[]
        {
            VoteAsync(address, number, new Status(StatusCode.FailedPrecondition, "non-multiplexed connection")),
            VoteAsync(address, number, null),
        })).Guarded();

        for (var id = 1; id <= Clients; id++)
        {
            await go.RestOfLineAsync($"disconnected {id}");
        }

        Assert.Empty(go.Complaints);
    }

    /// <summary>Casts the votes of one client, which is a plain one if it is to be refused.</summary>
    private static async Task VoteAsync(object address, int number, Status? refusal)
    {
        await using var client = new CSharpClient(address, plain: refusal is not null, number: number);
        for (var i = 0; i < Votes; i++)
        {
            var vote = new VoteTransactionRequest { TransactionId = (ulong)(number * 1000 + i), Node = $"node {number}" };
            var failure = await Assert.ThrowsAsync<RpcException>(
                () => client.Voting.VoteTransactionAsync(vote, cancellationToken: TestContext.Current.CancellationToken).ResponseAsync);
            var answer = refusal ?? new Status(StatusCode.Internal, $"voter {number} got {vote.TransactionId} from node {number}");
            Assert.Equal((answer.StatusCode, answer.Detail), (failure.StatusCode, failure.Status.Detail));
        }

        await client.EndAsync();
    }
}
