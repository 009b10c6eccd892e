namespace Yamux.Tests.Sending;

/// <summary>WIRE, "What we send": accept.</summary>
public class AcceptTests
{
    [Fact]
    public async Task The_ACK_is_sent_when_the_stream_is_taken_from_the_accept_queue_and_not_before()
    {
        await using var t = Scenario.Server();
        await t.Peer.SendAsync(Frame.Syn(1));
        await t.Peer.ExpectNothingAsync();

        var stream = await t.Session.AcceptStreamAsync().Guarded();

        Assert.Equal(1u, stream?.Id);
        await t.Peer.ExpectAsync(new Frame(FrameKind.WindowUpdate, FrameFlag.Ack, 1, 0));
    }

    [Fact]
    public async Task The_ACK_is_sent_once_whatever_happens_on_the_stream_afterwards()
    {
        await using var t = Scenario.Server();
        var stream = await t.AcceptAsync(1);

        await stream.Output.WriteAsync(new byte[] { 1 }).Guarded();
        await t.Peer.SendAsync(Frame.Data(1, [2]));
        await stream.Input.TakeAsync(1);
        await stream.DisposeAsync().Guarded();

        await t.Peer.ExpectAsync(Frame.Data(1, [1]), Frame.Fin(1));
        await t.Peer.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(262_145, 1u)]
    [InlineData(16 * 1024 * 1024, 16_515_072u)]
    public async Task Accepting_advertises_a_larger_window_as_the_delta_of_the_ACK(int window, uint delta)
    {
        await using var t = Scenario.Server(options => options.FixWindows(window));
        await t.Peer.SendAsync(Frame.Syn(1));

        await t.Session.AcceptStreamAsync().Guarded();

        await t.Peer.ExpectAsync(Frame.Ack(1, delta));
    }

    [Fact]
    public async Task The_ACK_is_sent_also_if_the_peer_has_sent_FIN_by_then()
    {
        await using var t = Scenario.Server();
        await t.Peer.SendAsync(Frame.Syn(1), Frame.Data(1, [7, 8]), Frame.Fin(1));
        await t.Peer.ExpectNothingAsync();

        var stream = await t.AcceptOpenedAsync(1);

        Assert.Equal([7, 8], await stream.Input.TakeAllAsync());
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task Streams_are_accepted_in_the_order_in_which_they_came()
    {
        await using var t = Scenario.Server();
        await t.Peer.SendAsync(Frame.Syn(1), Frame.Syn(3), Frame.Syn(9));

        await t.AcceptOpenedAsync(1);
        await t.AcceptOpenedAsync(3);
        await t.AcceptOpenedAsync(9);
    }

    [Fact]
    public async Task A_stream_of_the_server_is_accepted_by_the_client()
    {
        await using var t = Scenario.Client();

        await t.AcceptAsync(2);

        Assert.Equal(1, t.Session.StreamCount);
    }

    [Fact]
    public async Task The_peers_larger_window_beyond_the_first_is_usable_only_after_its_ACK()
    {
        await using var t = Scenario.Server(options => options.FixWindows(262_145));
        var stream = await t.AcceptAsync(1);

        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(262_145)));

        Assert.Equal(Bytes.Pattern(262_145), await stream.Input.TakeAsync(262_145));
    }

    [Fact]
    public async Task Before_the_ACK_the_window_is_262144_whatever_the_options_say()
    {
        await using var t = Scenario.Server(options => options.FixWindows(1024 * 1024));

        await t.Peer.SendAsync(Frame.Syn(1), Frame.DataHeader(1, 262_145));

        await t.ExpectProtocolErrorAsync("262145 bytes");
    }
}
