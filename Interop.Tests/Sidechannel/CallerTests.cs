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
        await using var go = await GoServer.StartAsync(binary);
        await using var client = go.Connect();
        var caller = new TransferCaller(client);

        foreach (var size in TransferCaller.Sizes)
        {
            await caller.RunAsync(mode, size);
        }

        await go.EndAsync(client);
    }

    [Fact]
    public async Task Twenty_transfers_run_at_once_on_one_connection()
    {
        await using var go = await GoServer.StartAsync(binary);
        await using var client = go.Connect();
        var caller = new TransferCaller(client);
        string[] modes = ["receive", "send", "echo", "both", "ignore", "fail"];

        await Task.WhenAll(Enumerable.Range(0, 20).Select(
            i => caller.RunAsync(modes[i % modes.Length], TransferCaller.Sizes[i % TransferCaller.Sizes.Length]))).Guarded();

        Assert.Equal(1, client.ConnectionCount);
        await go.EndAsync(client);
    }

    [Fact]
    public async Task A_call_without_a_sidechannel_is_told_so()
    {
        await using var go = await GoServer.StartAsync(binary);
        await using var client = go.Connect();

        var failure = await Assert.ThrowsAsync<RpcException>(
            () => client.Server.TransferAsync(new TransferRequest { Mode = "receive" }).ResponseAsync.Guarded());

        Assert.Equal(new Status(StatusCode.Unknown, "sidechannel: the call names none").ToString(), failure.Status.ToString());
        await go.EndAsync(client);
    }

    /// <summary>To Gitaly's handlers what is no number is 0.</summary>
    [Theory]
    [InlineData("7")]
    [InlineData("none")]
    public async Task A_Go_handler_is_refused_what_nobody_offers(string id)
    {
        await using var go = await GoServer.StartAsync(binary);
        await using var client = go.Connect();

        var failure = await Assert.ThrowsAsync<RpcException>(() => client.Server.TransferAsync(
            new TransferRequest { Mode = "receive" }, new Metadata { { "gitaly-sidechannel-id", id } }).ResponseAsync.Guarded());

        var number = id == "none" ? "0" : id;
        Assert.Equal((StatusCode.Unknown, $"sidechannel {number} was not accepted: EOF"), (failure.StatusCode, failure.Status.Detail));
        await go.EndAsync(client);
    }
}
