namespace Yamux.Tests.Telemetry;

/// <summary>docs/telemetry.md, "Yamux": streams that are open, were opened, reset and refused.</summary>
public sealed class StreamMetricTests : IDisposable
{
    private const string Direction = "yamux.stream.direction";
    private const string Reason = "yamux.reset.reason";

    private readonly TestMeters _meters = new();

    public static TheoryData<string, string?> Endings => new()
    {
        { "closed by both ends", null },
        { "disposed, and closed by the peer", null },
        { "aborted", "local" },
        { "its output completed with an error", "local" },
        { "reset by the peer", "peer" },
        { "not closed by the peer in time", "close_timeout" },
        { "its session aborted", null },
        { "its session closed", null },
        { "its connection lost", null },
        { "its session failed", null },
    };

    public void Dispose() => _meters.Dispose();

    [Theory]
    [MemberData(nameof(Endings))]
    public async Task A_stream_of_ours_is_active_until(string ending, string? reset)
    {
        using var active = _meters.Collect<long>("yamux.streams.active");
        using var opened = _meters.Collect<long>("yamux.streams.opened");
        using var resets = _meters.Collect<long>("yamux.streams.reset");
        await using var t = Scenario.Client(Configure);
        var stream = await t.OpenAsync();
        await t.Peer.ExpectNothingAsync();
        Assert.Equal(1, active.Sum(Direction, "outbound"));

        await EndAsync(t, stream, ending);
        await Guard.CancelledAsync(stream.Closed);

        Assert.Equal([1, -1], active.Values());
        Assert.Equal(["outbound", "outbound"], active.Tags(Direction));
        Assert.Equal(["outbound"], opened.Tags(Direction));
        Assert.Equal(reset is null ? [] : [reset], resets.Tags(Reason));
    }

    [Theory]
    [MemberData(nameof(Endings))]
    public async Task A_stream_of_the_peers_is_active_until(string ending, string? reset)
    {
        using var active = _meters.Collect<long>("yamux.streams.active");
        using var opened = _meters.Collect<long>("yamux.streams.opened");
        using var resets = _meters.Collect<long>("yamux.streams.reset");
        await using var t = Scenario.Client(Configure);
        var stream = await t.AcceptAsync(2);
        Assert.Equal(1, active.Sum(Direction, "inbound"));

        await EndAsync(t, stream, ending);
        await Guard.CancelledAsync(stream.Closed);

        Assert.Equal([1, -1], active.Values());
        Assert.Equal(["inbound", "inbound"], active.Tags(Direction));
        Assert.Equal(["inbound"], opened.Tags(Direction));
        Assert.Equal(reset is null ? [] : [reset], resets.Tags(Reason));
    }

    [Fact]
    public async Task A_stream_that_the_peer_does_not_acknowledge_is_reset_in_time()
    {
        using var active = _meters.Collect<long>("yamux.streams.active");
        using var resets = _meters.Collect<long>("yamux.streams.reset");
        await using var t = Scenario.Client(Configure);
        var stream = await t.OpenUnacknowledgedAsync();

        t.Time.Advance(TimeSpan.FromSeconds(75));
        await Guard.CancelledAsync(stream.Closed);

        Assert.Equal(0, active.Sum());
        Assert.Equal(["open_timeout"], resets.Tags(Reason));
    }

    [Fact]
    public async Task A_stream_of_the_peers_is_active_before_it_is_accepted()
    {
        using var active = _meters.Collect<long>("yamux.streams.active");
        await using var t = Scenario.Server(Configure);

        await t.Peer.SendAsync(Frame.Syn(1), Frame.Syn(3));
        await t.Peer.ExpectNothingAsync();

        Assert.Equal(2, active.Sum());
        t.Session.Abort();
        await Guard.EndedAsync(t.Session.Completion);
        Assert.Equal(0, active.Sum());
    }

    [Fact]
    public async Task A_stream_that_the_peer_resets_before_it_is_accepted_is_no_longer_active()
    {
        using var active = _meters.Collect<long>("yamux.streams.active");
        using var resets = _meters.Collect<long>("yamux.streams.reset");
        await using var t = Scenario.Server(Configure);

        await t.Peer.SendAsync(Frame.Syn(1), Frame.Rst(1), Frame.Credit(3, 0, FrameFlag.Syn | FrameFlag.Rst));
        await t.Peer.ExpectNothingAsync();

        Assert.Equal([1, -1, 1, -1], active.Values());
        Assert.Equal(["peer", "peer"], resets.Tags(Reason));
    }

    [Fact]
    public async Task A_stream_that_was_closed_and_is_aborted_then_is_not_reset()
    {
        using var active = _meters.Collect<long>("yamux.streams.active");
        using var resets = _meters.Collect<long>("yamux.streams.reset");
        await using var t = Scenario.Client(Configure);
        var stream = await t.OpenAsync();
        await EndAsync(t, stream, "closed by both ends");
        await Guard.CancelledAsync(stream.Closed);

        stream.Abort();

        Assert.Equal(0, active.Sum());
        Assert.Empty(resets.Values());
    }

    [Fact]
    public async Task Streams_that_find_the_accept_queue_full_are_refused()
    {
        await using var t = Scenario.Server(options =>
        {
            Configure(options);
            options.AcceptBacklog = 1;
        });
        await ExpectRefusedAsync(t, [Frame.Syn(1), Frame.Syn(3), Frame.Syn(5)], [Frame.Rst(3), Frame.Rst(5)], "accept_backlog");
    }

    [Fact]
    public async Task Streams_beyond_the_limit_of_open_ones_are_refused()
    {
        await using var t = Scenario.Server(options =>
        {
            Configure(options);
            options.MaxInboundStreams = 1;
        });
        await ExpectRefusedAsync(t, [Frame.Syn(1), Frame.Syn(3), Frame.Syn(5)], [Frame.Rst(3), Frame.Rst(5)], "inbound_limit");
    }

    [Fact]
    public async Task Streams_that_come_behind_our_GoAway_are_refused()
    {
        await using var t = Scenario.Server(Configure);
        await t.Peer.SendAsync(Frame.Syn(1));
        await t.Peer.ExpectNothingAsync();
        await t.Session.GoAwayAsync();
        await t.Peer.ExpectAsync(Frame.GoAway(0));
        await ExpectRefusedAsync(t, [Frame.Syn(3), Frame.Syn(5)], [Frame.Rst(3), Frame.Rst(5)], "go_away", openedHere: 0);
    }

    [Fact]
    public async Task A_stream_that_cannot_be_opened_is_not_counted()
    {
        using var active = _meters.Collect<long>("yamux.streams.active");
        using var opened = _meters.Collect<long>("yamux.streams.opened");
        await using var t = Scenario.Client(Configure);
        await t.Session.GoAwayAsync();

        await Guard.FailsWithAsync(YamuxErrorCode.GoAway, t.Session.OpenStreamAsync());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => t.Session.OpenStreamAsync(new CancellationToken(canceled: true)).Guarded());

        Assert.Empty(active.Values());
        Assert.Empty(opened.Values());
    }

    private static async Task EndAsync(Scenario t, YamuxStream stream, string ending)
    {
        switch (ending)
        {
            case "closed by both ends":
                await t.Peer.SendAsync(Frame.Fin(stream.Id));
                await stream.Output.CompleteAsync().AsTask().Guarded();
                break;
            case "disposed, and closed by the peer":
                await stream.DisposeAsync().Guarded();
                await t.Peer.SendAsync(Frame.Fin(stream.Id));
                break;
            case "aborted":
                stream.Abort();
                break;
            case "its output completed with an error":
                await stream.Output.CompleteAsync(new IOException("no more")).AsTask().Guarded();
                break;
            case "reset by the peer":
                await t.Peer.SendAsync(Frame.Rst(stream.Id));
                break;
            case "not closed by the peer in time":
                await stream.DisposeAsync().Guarded();
                t.Time.Advance(TimeSpan.FromMinutes(5));
                break;
            case "its session aborted":
                t.Session.Abort();
                break;
            case "its session closed":
                var close = t.Session.DisposeAsync();
                await t.Peer.AnswerCloseAsync();
                await close.Guarded();
                break;
            case "its connection lost":
                t.Peer.CloseOutput(new IOException("the cable was pulled"));
                break;
            case "its session failed":
                await t.Peer.SendAsync(Frame.Ping(1) with { Version = 9 });
                break;
            default:
                throw new ArgumentException(ending);
        }
    }

    private async Task ExpectRefusedAsync(Scenario t, Frame[] sent, Frame[] answers, string reason, int openedHere = 1)
    {
        using var active = _meters.Collect<long>("yamux.streams.active");
        using var opened = _meters.Collect<long>("yamux.streams.opened");
        using var resets = _meters.Collect<long>("yamux.streams.reset");
        using var refused = _meters.Collect<long>("yamux.streams.refused");

        await t.Peer.SendAsync(sent);
        await t.Peer.ExpectAsync(answers);
        await t.Peer.ExpectNothingAsync();

        Assert.Equal((openedHere, openedHere), (active.Sum(), opened.Sum()));
        Assert.Empty(resets.Values());
        Assert.Equal([reason, reason], refused.Tags("yamux.refusal.reason"));
    }

    private void Configure(YamuxOptions options) => options.MeterFactory = _meters;
}
