using Grpc.Core;
using Interop.Tests.Calls;
using Interop.Tests.Proto;
using Interop.Tests.Support;

namespace Interop.Tests.Sidechannel;

/// <summary>Our client offers sidechannels to the handlers of a Go server that is made as Gitaly's is.</summary>
public sealed class CallerTests(GoPeerBinary binary)
{
    [Theory]
    [MemberData(nameof(TransferCaller.Modes), MemberType = typeof(TransferCaller))]
    public async Task Go_handlers_move_bytes_of_every_size(string mode)
    {
        await using var go = binary.Start("grpc-server");
        await using var client = new CSharpClient(await go.AddressAsync());
        var caller = new TransferCaller(client);

        foreach (var size in TransferCaller.Sizes)
        {
            await caller.RunAsync(mode, size);
        }

        await EndAsync(client, go);
    }

    [Fact]
    public async Task Twenty_transfers_run_at_once_on_one_connection()
    {
        await using var go = binary.Start("grpc-server");
        await using var client = new CSharpClient(await go.AddressAsync());
        var caller = new TransferCaller(client);
        string[] modes = ["receive", "send", "echo", "both", "ignore", "fail"];

        await Task.WhenAll(Enumerable.Range(0, 20).Select(
            i => caller.RunAsync(modes[i % modes.Length], TransferCaller.Sizes[i % TransferCaller.Sizes.Length]))).Guarded();

        Assert.Equal(1, client.ConnectionCount);
        await EndAsync(client, go);
    }

    [Fact]
    public async Task A_call_without_a_sidechannel_is_told_so()
    {
        await using var go = binary.Start("grpc-server");
        await using var client = new CSharpClient(await go.AddressAsync());

        var failure = await Assert.ThrowsAsync<RpcException>(
            () => client.Server.TransferAsync(new TransferRequest { Mode = "receive" }).ResponseAsync.Guarded());

        Assert.Equal(StatusCode.FailedPrecondition, failure.StatusCode);
        await EndAsync(client, go);
    }

    [Theory]
    [InlineData("0", "was not accepted")]
    [InlineData("none", "invalid syntax")]
    public async Task A_Go_handler_is_refused_what_nobody_offers(string id, string reason)
    {
        await using var go = binary.Start("grpc-server");
        await using var client = new CSharpClient(await go.AddressAsync());

        var failure = await Assert.ThrowsAsync<RpcException>(() => client.Server.TransferAsync(
            new TransferRequest { Mode = "receive" }, new Metadata { { "gitaly-sidechannel-id", id } }).ResponseAsync.Guarded());

        Assert.Contains(reason, failure.Status.Detail, StringComparison.Ordinal);
        await EndAsync(client, go);
    }

    /// <summary>When we close, Go sees its client go, with nothing to complain of.</summary>
    internal static async Task EndAsync(CSharpClient client, GoPeer go)
    {
        await client.EndAsync();
        await go.RestOfLineAsync("disconnected 1");
        go.CloseInput();
        await go.SucceedAsync();
        Assert.Empty(go.Complaints);
    }
}
