using Grpc.Core;
using Interop.Tests.Proto;
using Interop.Tests.Support;

namespace Interop.Tests.Calls;

/// <summary>Gitaly's own test of its backchannel: 25 clients of each kind at once, two votes each.</summary>
public sealed class VotingTests(GoPeerBinary binary)
{
    private const int Clients = 25;
    private const int Votes = 2;

    /// <summary>Servers of all years, and every kind of connection.</summary>
    public static TheoryData<Transport, DialBack> Servers { get; } = new()
    {
        { Transport.IPv4, DialBack.Raw },
        { Transport.IPv4, DialBack.Escaped },
        { Transport.IPv4, DialBack.Lazy },
        { Transport.IPv6, DialBack.Escaped },
        { Transport.Unix, DialBack.Escaped },
        { Transport.Tls, DialBack.Escaped },
        { Transport.MutualTls, DialBack.Escaped },
    };

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

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task Many_clients_of_ours_of_both_kinds_vote_at_a_Go_server(Transport transport, DialBack dialBack)
    {
        await using var go = await GoServer.StartAsync(binary, dialBack, transport, "-tuned-windows");

        await Task.WhenAll(Enumerable.Range(1, Clients).SelectMany(number => new[]
        {
            VoteAsync(go, number, new Status(StatusCode.FailedPrecondition, "non-multiplexed connection")),
            VoteAsync(go, number, null),
        })).Guarded();

        for (var id = 1; id <= Clients; id++)
        {
            await go.Peer.RestOfLineAsync($"disconnected {id}");
        }

        Assert.Empty(go.Peer.Complaints);
    }

    /// <summary>Casts the votes of one client, which is a plain one if it is to be refused.</summary>
    private static async Task VoteAsync(GoServer go, int number, Status? refusal)
    {
        await using var client = go.Connect(plain: refusal is not null, number);
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
