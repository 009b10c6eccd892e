using Interop.Tests.Calls;
using Interop.Tests.Support;
using Sidechannel;

namespace Interop.Tests.Sidechannel;

/// <summary>Our handlers open the sidechannels that a Go client offers, whose yamux is set as Workhorse sets it.</summary>
public sealed class HandlerTests(GoPeerBinary binary)
{
    [Theory]
    [MemberData(nameof(TransferCaller.Modes), MemberType = typeof(TransferCaller))]
    public Task We_move_bytes_of_every_size_for_a_Go_client(string mode) => RunAsync(7, "-modes", mode);

    [Fact]
    public Task We_move_bytes_of_twenty_calls_at_once_on_one_connection() => RunAsync(42, "-at-once", "20");

    [Fact]
    public async Task A_Go_client_refuses_what_it_does_not_offer()
    {
        await using var server = await CSharpServer.StartAsync();
        await using var go = binary.Start("sidechannel-client", "-connect", server.Address, "-stay", "-modes", "ignore", "-sizes", "0");
        await go.RestOfLineAsync("ok all ");
        var session = server.Peers.GetPeer(1).Session;

        // Number 0 was offered, and taken back when its call had ended.
        foreach (var id in new[] { 0, 1, long.MaxValue })
        {
            var failure = await Assert.ThrowsAsync<SidechannelException>(() => session.OpenSidechannelAsync(id).Guarded());
            Assert.Equal(SidechannelErrorCode.Refused, failure.ErrorCode);
        }

        await EndAsync(server, go);
    }

    /// <summary>Both ends have closed all streams but that of the calls themselves, and the client leaves, with nothing to complain of.</summary>
    internal static async Task EndAsync(CSharpServer server, GoPeer go)
    {
        var session = server.Peers.GetPeer(1).Session;
        await HangGuard.UntilAsync(() => session.StreamCount == 1);
        go.CloseInput();
        await go.SucceedAsync();
        await server.EndAsync();
        Assert.Equal(0, server.Peers.Count);
        Assert.Empty(go.Complaints);
    }

    private async Task RunAsync(int transfers, params string[] arguments)
    {
        await using var server = await CSharpServer.StartAsync();
        await using var go = binary.Start(["sidechannel-client", "-connect", server.Address, "-stay", .. arguments]);

        Assert.Equal($"{transfers}", await go.RestOfLineAsync("ok all "));
        await EndAsync(server, go);
    }
}
