namespace Yamux.Tests.Limits;

/// <summary>
/// Each timeout of a session, under its own option and no other: one tick before the bound nothing has happened, and at the
/// bound it has. (The two rate limits, which do not wait for anything, are in <see cref="RateLimitTests"/> and
/// <see cref="InboundLimitTests"/>; closing over a socket is in TransportTests.)
/// </summary>
public class TimeBoundTests
{
    private static readonly Dictionary<string, TimeBound> Bounds = new()
    {
        ["StreamOpenTimeout, nothing acknowledged"] = new(
            (options, bound) => options.StreamOpenTimeout = bound,
            async t => await t.OpenUnacknowledgedAsync(),
            ExpectOneStreamAsync,
            t => ExpectResetAsync(t, 1)),
        ["StreamOpenTimeout, the stream closed at this end"] = new(
            (options, bound) => options.StreamOpenTimeout = bound,
            async t =>
            {
                var stream = await t.OpenUnacknowledgedAsync();
                await stream.DisposeAsync().Guarded();
                await t.Peer.ExpectAsync(Frame.Fin(1));
            },
            ExpectOneStreamAsync,
            t => ExpectResetAsync(t, 1)),
        ["StreamCloseTimeout, the stream disposed"] = new(
            (options, bound) => options.StreamCloseTimeout = bound,
            async t =>
            {
                var stream = await OpenAcknowledgedAsync(t);
                await stream.DisposeAsync().Guarded();
                await t.Peer.ExpectAsync(Frame.Fin(1));
            },
            ExpectOneStreamAsync,
            t => ExpectResetAsync(t, 1)),
        ["StreamCloseTimeout, from the output's completion when that comes last"] = new(
            (options, bound) => options.StreamCloseTimeout = bound,
            async t =>
            {
                var stream = await OpenAcknowledgedAsync(t);
                stream.Input.Complete();
                t.Time.Advance(TimeSpan.FromHours(1)); // Half closed: nothing counts yet.
                stream.Output.Complete();
                await t.Peer.ExpectAsync(Frame.Fin(1));
            },
            ExpectOneStreamAsync,
            t => ExpectResetAsync(t, 1)),
        ["StreamCloseTimeout, from the input's completion when that comes last"] = new(
            (options, bound) => options.StreamCloseTimeout = bound,
            async t =>
            {
                var stream = await OpenAcknowledgedAsync(t);
                stream.Output.Complete();
                await t.Peer.ExpectAsync(Frame.Fin(1));
                t.Time.Advance(TimeSpan.FromHours(1));
                stream.Input.Complete();
            },
            ExpectOneStreamAsync,
            t => ExpectResetAsync(t, 1)),
        ["StreamCloseTimeout, a disposal that waits for credit"] = new(
            (options, bound) => options.StreamCloseTimeout = bound,
            async t =>
            {
                var stream = await OpenAcknowledgedAsync(t);
                stream.Output.GetSpan(300_000);
                stream.Output.Advance(300_000);
                _ = stream.DisposeAsync().AsTask();
                await t.Peer.ReadDataAsync(1, 262_144);
                await t.Peer.ExpectNothingAsync();
            },
            ExpectOneStreamAsync,
            t => ExpectResetAsync(t, 1)),
        ["ConnectionWriteTimeout, while running"] = new(
            (options, bound) => options.ConnectionWriteTimeout = bound,
            async t =>
            {
                await t.Session.OpenStreamAsync().Guarded();
                await t.WriteStartedAsync();
            },
            ExpectRunningAsync,
            t => Guard.FailsWithAsync(YamuxErrorCode.ConnectionWriteTimeout, t.Session.Completion),
            Stalled: true),
        ["ConnectionWriteTimeout, a transport that fails for writing alone"] = new(
            (options, bound) => options.ConnectionWriteTimeout = bound,
            async t =>
            {
                await t.Peer.End.Input.CompleteAsync();
                await t.Session.OpenStreamAsync().Guarded();
                await t.WriteStartedAsync();
            },
            ExpectRunningAsync,
            t => Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, t.Session.Completion)),
        ["ConnectionWriteTimeout, disposing while the transport takes nothing"] = new(
            (options, bound) => options.ConnectionWriteTimeout = bound,
            async t =>
            {
                await t.Session.OpenStreamAsync().Guarded();
                await t.WriteStartedAsync();
                t.ExpectsWarnings = true;
                _ = t.Session.DisposeAsync().AsTask();
            },
            async t =>
            {
                await t.Peer.PeekAsync(); // Which would fail, were the transport closed.
                Assert.False(t.Session.Completion.IsCompleted);
            },
            t => t.Session.Completion.Guarded(),
            Stalled: true),
        ["KeepAliveInterval"] = new(
            (options, bound) => (options.EnableKeepAlive, options.KeepAliveInterval) = (true, bound),
            _ => Task.CompletedTask,
            t => t.Peer.ExpectNothingAsync(),
            async t =>
            {
                var ping = await t.Peer.ReadAsync();
                Assert.Equal(Frame.Ping(ping.Length), ping);
            }),
        ["KeepAliveTimeout"] = new(
            (options, bound) => (options.EnableKeepAlive, options.KeepAliveTimeout) = (true, bound),
            async t =>
            {
                t.Time.Advance(TimeSpan.FromSeconds(30));
                Assert.Equal(FrameKind.Ping, (await t.Peer.ReadAsync()).Kind);
            },
            ExpectRunningAsync,
            t => Guard.FailsWithAsync(YamuxErrorCode.KeepAliveTimeout, t.Session.Completion)),
    };

    public static TheoryData<string> Names { get; } = [.. Bounds.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_tick_before_the_bound_nothing_happens_and_at_the_bound_it_does(string name)
    {
        var bound = Bounds[name];
        var time = TimeSpan.FromMilliseconds(7_003); // No default, and no multiple of another.
        void Configure(YamuxOptions options)
        {
            options.StreamOpenTimeout = options.StreamCloseTimeout = options.ConnectionWriteTimeout = Timeout.InfiniteTimeSpan;
            options.KeepAliveTimeout = Timeout.InfiniteTimeSpan;
            bound.Configure(options, time);
        }

        await using var t = bound.Stalled ? Scenario.Stalled(configure: Configure) : Scenario.Client(Configure);
        await bound.Begin(t);

        t.Time.Advance(time - TimeSpan.FromTicks(1));
        await bound.NotYet(t);
        t.Time.Advance(TimeSpan.FromTicks(1));

        await bound.Due(t);
    }

    // The peer has told of the acknowledgement, and the session has dealt with it.
    private static async Task<YamuxStream> OpenAcknowledgedAsync(Scenario t)
    {
        var stream = await t.OpenAsync();
        await t.Peer.ExpectNothingAsync();
        return stream;
    }

    private static async Task ExpectOneStreamAsync(Scenario t)
    {
        await t.Peer.ExpectNothingAsync();
        Assert.Equal(1, t.Session.StreamCount);
    }

    private static async Task ExpectResetAsync(Scenario t, uint id)
    {
        await t.Peer.ExpectAsync(Frame.Rst(id));
        await t.Peer.ExpectNothingAsync();
        Assert.Equal(0, t.Session.StreamCount);
    }

    // The timer fires on the thread that moves the time, and ends the session there: a stream could no longer be accepted.
    private static async Task ExpectRunningAsync(Scenario t)
    {
        var accept = t.EndsWithSession(t.Session.AcceptStreamAsync());
        await Task.Yield();
        Assert.False(accept.IsCompleted);
        Assert.False(t.Session.Completion.IsCompleted);
    }
}
