namespace Yamux.Tests.Face;

/// <summary>A stream that is taken first, and acknowledged later, or refused.</summary>
public class AcknowledgeTests
{
    [Fact]
    public async Task The_peer_does_not_hear_of_an_acceptance_before_it_is_acknowledged_once()
    {
        await using var t = Scenario.Server();
        await t.Peer.SendAsync(Frame.Syn(1));

        var stream = await t.Session.AcceptStreamAsync(acknowledge: false).Guarded();

        await t.Peer.ExpectNothingAsync();
        stream!.Acknowledge();
        await t.Peer.ExpectAsync(Frame.Ack(1));
        stream.Acknowledge();
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_stream_that_is_aborted_instead_is_refused()
    {
        await using var t = Scenario.Server();
        await t.Peer.SendAsync(Frame.Syn(1));
        var stream = await t.Session.AcceptStreamAsync(acknowledge: false).Guarded();

        stream!.Abort();
        stream.Acknowledge();

        await t.Peer.ExpectAsync(Frame.Rst(1));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_stream_that_was_accepted_is_not_acknowledged_a_second_time()
    {
        await using var t = Scenario.Server();
        var stream = await t.AcceptAsync(1);

        stream.Acknowledge();

        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_stream_of_this_end_is_not_acknowledged_by_it()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenUnacknowledgedAsync();

        Assert.Throws<InvalidOperationException>(stream.Acknowledge);

        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task Of_a_stream_that_the_peer_has_finished_no_window_is_opened()
    {
        await using var t = Scenario.Server(Growing);
        await t.Peer.SendAsync(Frame.Syn(1), Frame.Data(1, [1, 2, 3], FrameFlag.Fin));
        await t.Peer.ExpectNothingAsync();

        await t.Session.AcceptStreamAsync().Guarded();

        await t.Peer.ExpectAsync(Frame.Ack(1));
    }

    [Fact]
    public async Task Of_a_stream_that_nobody_reads_no_window_is_opened()
    {
        await using var t = Scenario.Server(Growing);
        await t.Peer.SendAsync(Frame.Syn(1));
        var stream = await t.Session.AcceptStreamAsync(acknowledge: false).Guarded();

        stream!.AbortRead();
        stream.Acknowledge();

        await t.Peer.ExpectAsync(Frame.Ack(1));
    }

    [Fact]
    public async Task A_stream_that_has_ended_is_not_acknowledged_any_more()
    {
        await using var t = Scenario.Server(Growing);
        await t.Peer.SendAsync(Frame.Syn(1), Frame.Fin(1));
        await t.Peer.ExpectNothingAsync();
        var stream = await t.Session.AcceptStreamAsync(acknowledge: false).Guarded();
        await stream!.DisposeAsync().Guarded();
        await t.Peer.ExpectAsync(Frame.Fin(1));

        stream.Acknowledge();

        await t.Peer.ExpectNothingAsync();
    }

    // What the ACK opens comes to 3 MiB beyond what each stream has, all of the budget.
    private static void Growing(YamuxOptions options)
    {
        options.FixWindows(3 * 1024 * 1024);
        options.MaxSessionWindowGrowth = 3 * 1024 * 1024;
    }
}
