using System.Diagnostics.Metrics;

namespace Yamux.Tests.Telemetry;

/// <summary>docs/telemetry.md, "Yamux": the active sessions, and where the meter comes from.</summary>
public sealed class SessionMetricTests : IDisposable
{
    private readonly TestMeters _meters = new();

    public void Dispose() => _meters.Dispose();

    [Theory]
    [InlineData("disposed at once")]
    [InlineData("closed")]
    [InlineData("aborted")]
    [InlineData("aborted for a reason")]
    [InlineData("closed by the peer")]
    [InlineData("lost")]
    [InlineData("lost in a frame")]
    [InlineData("failed for the peer's fault")]
    [InlineData("ended by the peer's GoAway")]
    [InlineData("aborted while it is closed")]
    public async Task A_session_is_active_until_it_is(string ended)
    {
        using var active = _meters.Collect<long>("yamux.sessions.active");
        await using var t = Scenario.Client(Configure);
        if (ended != "disposed at once")
        {
            await t.OpenAsync();
            await t.Peer.ExpectNothingAsync();
        }

        Assert.Equal(1, active.Sum());
        await EndAsync(t, ended);
        await Guard.EndedAsync(t.Session.Completion);

        Assert.Equal([1, -1], active.Values());
    }

    [Fact]
    public async Task A_session_that_is_closed_is_active_until_its_connection_is()
    {
        using var active = _meters.Collect<long>("yamux.sessions.active");
        await using var t = Scenario.Client(Configure);

        var close = t.Session.DisposeAsync();
        await t.Peer.ExpectAsync(Frame.GoAway(0));

        Assert.Equal(1, active.Sum());
        var ping = await t.Peer.ReadAsync();
        await t.Peer.SendAsync(Frame.Pong(ping.Length));
        await close.Guarded();
        Assert.Equal(0, active.Sum());
    }

    [Fact]
    public void A_session_that_cannot_be_created_is_not_counted()
    {
        using var active = _meters.Collect<long>("yamux.sessions.active");
        var (end, _) = DuplexPipe.CreatePair();

        Assert.Throws<ArgumentOutOfRangeException>(
            () => YamuxSession.Create(end, YamuxRole.Client, new YamuxOptions { MeterFactory = _meters, AcceptBacklog = 0 }));

        Assert.Empty(active.Values());
    }

    [Fact]
    public async Task Who_listens_later_does_not_see_the_end_of_what_began_before()
    {
        await using var t = Scenario.Client(Configure);
        var stream = await t.OpenAsync();
        using var sessions = _meters.Collect<long>("yamux.sessions.active");
        using var streams = _meters.Collect<long>("yamux.streams.active");

        stream.Abort();
        t.Session.Abort();
        await Guard.EndedAsync(t.Session.Completion);

        Assert.Empty(sessions.Values());
        Assert.Empty(streams.Values());
    }

    [Fact]
    public async Task Sessions_of_one_source_share_one_meter()
    {
        using var active = _meters.Collect<long>("yamux.sessions.active");
        await using var first = Scenario.Client(Configure);
        await using var second = Scenario.Server(Configure);

        Assert.Equal(1, _meters.Count);
        Assert.Equal(2, active.Sum());
    }

    [Fact]
    public async Task Without_a_source_the_meter_is_that_of_the_process()
    {
        var meters = new HashSet<Meter>();
        var measured = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter is { Name: "Yamux", Scope: null })
                {
                    meters.Add(instrument.Meter);
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, _, _, _) =>
        {
            if (instrument.Name == "yamux.sessions.active")
            {
                Interlocked.Increment(ref measured); // Those of other tests too.
            }
        });
        listener.Start();

        await using var first = Scenario.Client();
        await using var second = Scenario.Client();

        Assert.Single(meters);
        Assert.InRange(Volatile.Read(ref measured), 2, int.MaxValue);
    }

    [Fact]
    public async Task The_options_of_a_session_tell_the_source()
    {
        await using var t = Scenario.Client(Configure);

        Assert.Same(_meters, t.Session.GetOptions().MeterFactory);
        Assert.Same(_meters, t.Session.GetOptions().Clone().MeterFactory);
    }

    [Fact]
    public async Task What_a_listener_throws_ends_no_session()
    {
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Scope == _meters)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, _, _, _) => throw new InvalidOperationException("not now"));
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => throw new InvalidOperationException("not now"));
        listener.Start();
        await using var pair = SessionPair.OverPipes(configure: Configure);

        var (client, server) = (await pair.OpenAsync(1))[0];
        await client.WriteAsync(new byte[] { 1 }).Guarded();

        Assert.Equal(1, await server.AsStream().ReadAsync(new byte[1]).Guarded());
        client.Abort();
        await Guard.CancelledAsync(server.Closed);
        Assert.False(pair.Client.Completion.IsCompleted || pair.Server.Completion.IsCompleted);
    }

    private static async Task EndAsync(Scenario t, string ending)
    {
        switch (ending)
        {
            case "disposed at once" or "closed":
                var close = t.Session.DisposeAsync();
                await t.Peer.AnswerCloseAsync();
                await close.Guarded();
                break;
            case "aborted":
                t.Session.Abort();
                break;
            case "aborted for a reason":
                t.Session.Abort(new TimeoutException("enough"));
                break;
            case "closed by the peer":
                t.Peer.CloseOutput();
                break;
            case "lost":
                t.Peer.CloseOutput(new IOException("the cable was pulled"));
                break;
            case "lost in a frame":
                await t.Peer.SendRawAsync(new byte[5]);
                t.Peer.CloseOutput();
                break;
            case "failed for the peer's fault":
                await t.Peer.SendAsync(Frame.Ping(1) with { Version = 9 });
                await t.Peer.ExpectCloseAsync(1);
                break;
            case "ended by the peer's GoAway":
                await t.Peer.SendAsync(Frame.GoAway(2));
                break;
            case "aborted while it is closed":
                var closing = t.Session.DisposeAsync();
                await t.Peer.ExpectAsync(Frame.GoAway(0));
                t.Session.Abort();
                await closing.Guarded();
                break;
            default:
                throw new ArgumentException(ending);
        }
    }

    private void Configure(YamuxOptions options) => options.MeterFactory = _meters;
}
