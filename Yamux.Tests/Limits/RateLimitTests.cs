namespace Yamux.Tests.Limits;

/// <summary>WIRE, "Limits": zero-progress frames; answers and credit that are queued and unsent.</summary>
public class RateLimitTests
{
    [Fact]
    public async Task Ten_thousand_frames_that_change_nothing_may_come_in_10_seconds_and_one_more_ends_the_session()
    {
        await using var t = Scenario.Client();
        await t.OpenAsync();
        await t.Peer.SendAsync(Enumerable.Range(0, 10_000).Select(i => i % 2 == 0 ? Frame.Credit(1, 0) : Frame.Data(1, [])));
        await t.Peer.ExpectNothingAsync();
        t.Time.Advance(TimeSpan.FromSeconds(10) - TimeSpan.FromTicks(1));

        await t.Peer.SendAsync(Frame.Credit(1, 0));

        await t.ExpectProtocolErrorAsync("more than 10000 frames that change nothing came within 00:00:10");
    }

    [Fact]
    public async Task The_count_of_empty_frames_begins_anew_after_10_seconds()
    {
        await using var t = Scenario.Client(options => options.MaxEmptyFrames = 2);
        await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Credit(1, 0), Frame.Data(1, []));
        await t.Peer.ExpectNothingAsync();

        t.Time.Advance(TimeSpan.FromSeconds(10));
        await t.Peer.SendAsync(Frame.Credit(1, 0), Frame.Data(1, []));
        await t.Peer.ExpectNothingAsync();
        await t.Peer.SendAsync(Frame.Data(1, []));

        await t.ExpectProtocolErrorAsync("more than 2 frames");
    }

    [Fact]
    public async Task A_flag_that_does_not_exist_does_not_hide_an_empty_frame()
    {
        await using var t = Scenario.Client(options => options.MaxEmptyFrames = 2);
        await t.OpenAsync();

        await t.Peer.SendAsync(Enumerable.Repeat(Frame.Credit(1, 0, (FrameFlag)0x10), 3));

        await t.ExpectProtocolErrorAsync("more than 2 frames");
    }

    [Fact]
    public async Task A_burst_of_pings_that_the_transport_takes_is_answered_however_small_the_limit_is()
    {
        await using var t = Scenario.Client(options => options.MaxQueuedAnswers = 2);

        await t.Peer.SendAsync(Enumerable.Range(0, 100).Select(i => Frame.Ping((uint)i)));

        await t.Peer.ExpectAsync(Enumerable.Range(0, 100).Select(i => Frame.Pong((uint)i)));
    }

    [Fact]
    public async Task Empty_frames_for_a_stream_that_is_not_open_count_too()
    {
        await using var t = Scenario.Client(options => options.MaxEmptyFrames = 2);

        await t.Peer.SendAsync(Frame.Credit(9, 0), Frame.Data(9, []), Frame.Credit(9, 0));

        await t.ExpectProtocolErrorAsync("more than 2 frames");
    }

    [Fact]
    public async Task A_frame_with_a_flag_or_a_length_does_not_count()
    {
        await using var t = Scenario.Server(options => options.MaxEmptyFrames = 1);
        await t.AcceptAsync(1);

        await t.Peer.SendAsync(Frame.Data(1, [], FrameFlag.Ack), Frame.Ack(1), Frame.Credit(1, 1), Frame.Data(1, [1]), Frame.Syn(3), Frame.Fin(1));

        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task Pongs_that_wait_to_be_sent_are_at_most_1024()
    {
        await using var t = Scenario.Stalled(YamuxRole.Server);
        await t.Peer.SendAsync(Frame.Ping(0));
        await t.Peer.PeekAsync();

        await t.Peer.SendAsync(Enumerable.Range(1, 1023).Select(i => Frame.Ping((uint)i)));
        await t.Peer.SendAsync(Frame.Data(1, [1], FrameFlag.Syn));
        await (await t.Session.AcceptStreamAsync().Guarded())!.Input.TakeAsync(1);

        await t.Peer.ExpectAsync(Enumerable.Range(0, 1024).Select(i => Frame.Pong((uint)i)));
        await t.Peer.ExpectAsync(Frame.Ack(1));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task One_pong_more_that_would_wait_to_be_sent_ends_the_session()
    {
        await using var t = Scenario.Stalled(YamuxRole.Server);
        await t.Peer.SendAsync(Frame.Ping(0));
        await t.Peer.PeekAsync();

        await t.Peer.SendAsync(Enumerable.Range(1, 1024).Select(i => Frame.Ping((uint)i)));
        await Guard.FailsWithAsync(YamuxErrorCode.ProtocolError, t.Session.AcceptStreamAsync());

        await t.Peer.ExpectAsync(Enumerable.Range(0, 1024).Select(i => Frame.Pong((uint)i)));
        await t.ExpectProtocolErrorAsync("1024 answers to the peer wait to be sent");
    }

    [Fact]
    public async Task The_RST_of_refused_streams_count_as_answers()
    {
        await using var t = Scenario.Stalled(YamuxRole.Server, options => (options.AcceptBacklog, options.MaxQueuedAnswers) = (1, 3));
        var stream = await t.AcceptAsync(1);
        await t.Peer.SendAsync(Frame.Syn(3), Frame.Ping(1));
        await t.Peer.PeekAsync();

        await t.Peer.SendAsync(Frame.Syn(5), Frame.Ping(2), Frame.Syn(7));
        await Guard.FailsWithAsync(YamuxErrorCode.ProtocolError, stream.Input.ReadAsync());

        await t.Peer.ExpectAsync(Frame.Pong(1), Frame.Rst(5), Frame.Pong(2));
        await t.ExpectProtocolErrorAsync("3 answers");
    }

    [Fact]
    public async Task A_burst_of_pings_that_the_transport_takes_is_answered_whatever_its_size()
    {
        await using var t = Scenario.Server(options => options.MaxQueuedAnswers = 256);

        await t.Peer.SendAsync(Enumerable.Range(0, 5000).Select(i => Frame.Ping((uint)i)));

        await t.Peer.ExpectAsync(Enumerable.Range(0, 5000).Select(i => Frame.Pong((uint)i)));
    }

    [Fact]
    public async Task Answers_that_were_sent_make_room_for_others()
    {
        await using var t = Scenario.Stalled(YamuxRole.Server, options => options.MaxQueuedAnswers = 2);

        for (var round = 0u; round < 50; round++)
        {
            await t.Peer.SendAsync(Frame.Ping(2 * round), Frame.Ping((2 * round) + 1));
            await t.Peer.ExpectAsync(Frame.Pong(2 * round), Frame.Pong((2 * round) + 1));
        }
    }

    [Fact]
    public async Task Credit_that_waits_to_be_sent_is_one_frame_a_stream_to_which_later_credit_is_added()
    {
        await using var t = Scenario.Stalled();
        var stream = await t.OpenAsync();
        var other = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(262_144)), Frame.Data(3, Bytes.Pattern(262_144)), Frame.Ping(1));
        await t.Peer.PeekAsync();

        await stream.Input.TakeAsync(131_072);
        await other.Input.TakeAsync(140_000);
        await stream.Input.TakeAsync(131_072);

        await t.Peer.ExpectAsync(Frame.Pong(1), Frame.Credit(1, 262_144), Frame.Credit(3, 140_000));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task What_is_ignored_is_logged_a_few_times_and_no_more()
    {
        await using var t = Scenario.Server(options => options.AcceptBacklog = 1);
        await t.Peer.SendAsync(Frame.Syn(1));

        await t.Peer.SendAsync(Enumerable.Range(1, 500).SelectMany(i => new[] { Frame.Syn(1 + (2 * (uint)i)), Frame.Fin(40_001), Frame.Fin(1) }));
        for (var i = 0; i < 500; i++)
        {
            Assert.Equal(FrameFlag.Rst, (await t.Peer.ReadAsync()).Flags);
        }

        await t.Peer.ExpectNothingAsync();
        Assert.InRange(t.Log.Lines.Count(), 1, 20);
    }

    [Fact]
    public async Task What_could_not_be_sent_on_streams_that_were_reset_is_logged_a_few_times_and_no_more()
    {
        await using var t = Scenario.Server();
        for (var id = 1u; id < 200; id += 2)
        {
            var stream = await t.AcceptAsync(id);
            stream.Output.GetSpan(1)[0] = 1;
            stream.Output.Advance(1);
            await t.Peer.SendAsync(Frame.Rst(id));
            await Guard.FailsWithAsync(YamuxErrorCode.StreamReset, stream.Input.ReadAsync());
            await stream.DisposeAsync().Guarded();
        }

        Assert.InRange(t.Log.Lines.Count(), 1, 20);
    }
}
