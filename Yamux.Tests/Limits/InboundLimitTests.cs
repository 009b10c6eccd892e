namespace Yamux.Tests.Limits;

/// <summary>WIRE, "Limits": AcceptBacklog, inbound streams open at once, streams reset before we accepted them.</summary>
public class InboundLimitTests
{
    [Fact]
    public async Task AcceptBacklog_is_256_and_one_more_stream_is_refused()
    {
        await using var t = Scenario.Server();
        await t.Peer.SendAsync(Enumerable.Range(0, 256).Select(i => Frame.Syn(1 + (2 * (uint)i))));
        await t.Peer.ExpectNothingAsync();

        await t.Peer.SendAsync(Frame.Data(513, [1, 2, 3], FrameFlag.Syn), Frame.Data(513, [4]));

        await t.Peer.ExpectAsync(Frame.Rst(513));
        await t.Peer.ExpectNothingAsync();
        Assert.Equal(256, t.Session.StreamCount);
    }

    [Fact]
    public async Task The_limit_of_our_own_opens_refuses_no_stream_of_the_peers()
    {
        await using var t = Scenario.Server(options => options.MaxUnacknowledgedStreams = 1);
        await t.OpenUnacknowledgedAsync();

        await t.Peer.SendAsync(Frame.Syn(1), Frame.Syn(3));

        await t.AcceptOpenedAsync(1);
        await t.AcceptOpenedAsync(3);
    }

    [Fact]
    public async Task A_full_backlog_has_room_again_when_a_stream_is_accepted()
    {
        await using var t = Scenario.Server(options => options.AcceptBacklog = 1);
        await t.Peer.SendAsync(Frame.Syn(1), Frame.Syn(3));
        await t.Peer.ExpectAsync(Frame.Rst(3));

        await t.AcceptOpenedAsync(1);
        await t.Peer.SendAsync(Frame.Syn(5));

        await t.AcceptOpenedAsync(5);
    }

    [Fact]
    public async Task A_stream_that_is_reset_while_it_waits_leaves_the_backlog_at_once()
    {
        await using var t = Scenario.Server(options => options.AcceptBacklog = 1);

        await t.Peer.SendAsync(Frame.Syn(1), Frame.Rst(1), Frame.Syn(3));
        await t.Peer.ExpectNothingAsync(); // Or the first might be accepted before its RST is seen.

        await t.AcceptOpenedAsync(3);
        await t.Peer.ExpectNothingAsync();
        Assert.Equal(1, t.Session.StreamCount);
    }

    [Fact]
    public async Task A_stream_that_the_peer_has_finished_keeps_its_place_in_the_backlog()
    {
        await using var t = Scenario.Server(options => options.AcceptBacklog = 1);

        await t.Peer.SendAsync(Frame.Syn(1), Frame.Fin(1), Frame.Syn(3));

        await t.Peer.ExpectAsync(Frame.Rst(3));
        await t.AcceptOpenedAsync(1);
    }

    [Fact]
    public async Task A_thousand_and_24_inbound_streams_may_be_open_and_one_more_is_refused()
    {
        await using var t = Scenario.Server();
        for (var i = 0u; i < 1024; i++)
        {
            await t.AcceptAsync(1 + (2 * i));
        }

        await t.Peer.SendAsync(Frame.Syn(2049));

        await t.Peer.ExpectAsync(Frame.Rst(2049));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task An_inbound_stream_that_ends_makes_room_for_another()
    {
        await using var t = Scenario.Server(options => options.MaxInboundStreams = 2);
        var first = await t.AcceptAsync(1);
        var second = await t.AcceptAsync(3);
        await t.Peer.SendAsync(Frame.Syn(5));
        await t.Peer.ExpectAsync(Frame.Rst(5));

        first.Abort();
        await t.Peer.ExpectAsync(Frame.Rst(1));
        await t.AcceptAsync(7);
        await second.DisposeAsync().Guarded();
        await t.Peer.SendAsync(Frame.Fin(3));
        await t.Peer.ExpectAsync(Frame.Fin(3));
        await t.Peer.ExpectNothingAsync();
        var reset = await t.AcceptAsync(9);
        await t.Peer.SendAsync(Frame.Rst(9));
        await Guard.FailsWithAsync(YamuxErrorCode.StreamReset, reset.Input.ReadAsync());

        await t.AcceptAsync(11);
        await t.Peer.SendAsync(Frame.Syn(13));
        await t.Peer.ExpectAsync(Frame.Rst(13));
    }

    [Fact]
    public async Task Our_own_streams_do_not_count_as_inbound()
    {
        await using var t = Scenario.Server(options => options.MaxInboundStreams = 1);
        await t.OpenAsync();
        await t.OpenAsync();

        await t.AcceptAsync(1);
    }

    [Fact]
    public async Task A_thousand_streams_may_be_reset_before_we_accept_them_and_one_more_ends_the_session()
    {
        await using var t = Scenario.Server();
        for (var i = 0u; i < 1000; i++)
        {
            await t.Peer.SendAsync(i % 2 == 0
                ? [Frame.Syn(1 + (2 * i)), Frame.Rst(1 + (2 * i))]
                : [Frame.Credit(1 + (2 * i), 0, FrameFlag.Syn | FrameFlag.Rst)]);
        }

        await t.Peer.ExpectNothingAsync();
        t.Time.Advance(TimeSpan.FromSeconds(10) - TimeSpan.FromTicks(1));

        await t.Peer.SendAsync(Frame.Syn(2001), Frame.Rst(2001));

        await t.ExpectProtocolErrorAsync("more than 1000 streams were opened and reset before they were accepted");
    }

    [Fact]
    public async Task The_count_of_early_resets_begins_anew_after_10_seconds()
    {
        await using var t = Scenario.Server(options => options.MaxEarlyResets = 3);
        await t.Peer.SendAsync(Enumerable.Range(0, 3).SelectMany(i => new[] { Frame.Syn(1 + (2 * (uint)i)), Frame.Rst(1 + (2 * (uint)i)) }));
        await t.Peer.ExpectNothingAsync();

        t.Time.Advance(TimeSpan.FromSeconds(10));
        await t.Peer.SendAsync(Enumerable.Range(3, 3).SelectMany(i => new[] { Frame.Syn(1 + (2 * (uint)i)), Frame.Rst(1 + (2 * (uint)i)) }));
        await t.Peer.ExpectNothingAsync();
        await t.Peer.SendAsync(Frame.Syn(101), Frame.Rst(101));

        await t.ExpectProtocolErrorAsync("more than 3 streams");
    }

    [Fact]
    public async Task A_reset_after_we_accepted_the_stream_does_not_count()
    {
        await using var t = Scenario.Server(options => options.MaxEarlyResets = 1);
        for (var i = 0u; i < 10; i++)
        {
            await t.AcceptAsync(1 + (2 * i));
            await t.Peer.SendAsync(Frame.Rst(1 + (2 * i)));
        }

        await t.Peer.ExpectNothingAsync();
    }
}
