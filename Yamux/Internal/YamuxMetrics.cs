using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;

namespace Yamux.Internal;

/// <summary>The meter Yamux; docs/telemetry.md has every instrument. There is one for each source of meters, which all of its sessions share: instruments live as long as their meter.</summary>
/// <remarks>
/// Whoever listens is foreign code, so nothing is measured under a lock, and what a listener throws ends no session. Where nobody listens all that is done is a look at
/// <see cref="Instrument.Enabled"/>: once for each read and write of the transport, for each stream, and for each wait.
/// </remarks>
internal sealed class YamuxMetrics
{
    public const string MeterName = "Yamux";

    /// <summary>Too many streams wait to be accepted.</summary>
    public const string RefusedByBacklog = "accept_backlog";

    /// <summary>Too many streams of the peer's are open.</summary>
    public const string RefusedByLimit = "inbound_limit";

    /// <summary>This end has sent GoAway.</summary>
    public const string RefusedByGoAway = "go_away";

    private static readonly KeyValuePair<string, object?> Inbound = new("yamux.stream.direction", "inbound");
    private static readonly KeyValuePair<string, object?> Outbound = new("yamux.stream.direction", "outbound");
    private static readonly KeyValuePair<string, object?> Received = new("network.io.direction", "receive");
    private static readonly KeyValuePair<string, object?> Sent = new("network.io.direction", "transmit");

    private static readonly InstrumentAdvice<double> Seconds = new() { HistogramBucketBoundaries = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] };
    private static readonly InstrumentAdvice<long> Frames = new() { HistogramBucketBoundaries = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] };

    // The source may be collected, although the meter knows it. Of sessions that begin at once one makes the instruments: each that is made is published, and a listener that takes the first of a name
    // may have one that no session uses.
    private static readonly ConditionalWeakTable<IMeterFactory, Lazy<YamuxMetrics>> OfFactories = [];

    private readonly UpDownCounter<long> _sessions;
    private readonly UpDownCounter<long> _streams;
    private readonly Counter<long> _opened;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _reset;
    private readonly Counter<long> _bytes;
    private readonly Histogram<long> _frames;
    private readonly Histogram<double> _creditWaits;
    private readonly Histogram<double> _transportWaits;

    private YamuxMetrics(Meter meter)
    {
        _sessions = meter.CreateUpDownCounter<long>("yamux.sessions.active", "{session}", "Sessions, from their creation until their transport is closed.");
        _streams = meter.CreateUpDownCounter<long>("yamux.streams.active", "{stream}", "Streams that are open, those that are not accepted yet among them.");
        _opened = meter.CreateCounter<long>("yamux.streams.opened", "{stream}", "Streams that were opened.");
        _refused = meter.CreateCounter<long>("yamux.streams.refused", "{stream}", "Streams of the peer's that this end has refused.");
        _reset = meter.CreateCounter<long>("yamux.streams.reset", "{stream}", "Streams that were reset, by either end.");
        _bytes = meter.CreateCounter<long>("yamux.transport.io", "By", "Bytes of whole frames that the transport has brought, or taken.");
        _frames = meter.CreateHistogram("yamux.transport.write.frames", "{frame}", "How many frames began in a write to the transport.", tags: null, Frames);
        _creditWaits = meter.CreateHistogram("yamux.stream.credit_wait.duration", "s", "How long writers have waited for the peer's credit.", tags: null, Seconds);
        _transportWaits = meter.CreateHistogram("yamux.stream.transport_wait.duration", "s", "How long writers have waited for the transport.", tags: null, Seconds);
    }

    /// <summary>Where sessions are measured that have no source of meters: it lives as long as the process.</summary>
    public static YamuxMetrics OfProcess { get; } = new(new Meter(MeterName));

    /// <summary>Whether a stream that begins now is counted, as long as it is open. Whoever comes later does not see the end of what he has not seen begin.</summary>
    public bool CountsStreams => _streams.Enabled;

    /// <summary>Whether the frames of what is written are to be counted.</summary>
    public bool CountsFrames => _frames.Enabled;

    /// <summary>Where sessions are measured that have these settings.</summary>
    public static YamuxMetrics Of(YamuxOptions options)
        => options.MeterFactory is { } factory
            ? OfFactories.GetValue(factory, static factory => new Lazy<YamuxMetrics>(() => new YamuxMetrics(factory.Create(MeterName)))).Value
            : OfProcess;

    /// <summary>Whether such a wait is to be measured that begins now.</summary>
    public bool Measures(SendWait wait) => wait switch
    {
        SendWait.Credit => _creditWaits.Enabled,
        SendWait.Transport => _transportWaits.Enabled,
        _ => false,
    };

    /// <summary>A session has begun.</summary>
    /// <returns>Whether it was counted, and its end is to be told.</returns>
    public bool OnSessionBegan()
    {
        if (!_sessions.Enabled)
        {
            return false;
        }

        Isolate(_sessions, static counter => counter.Add(1));
        return true;
    }

    public void OnSessionEnded() => Isolate(_sessions, static counter => counter.Add(-1));

    public void OnStreamOpened(YamuxStream stream)
    {
        if (stream.IsCounted)
        {
            Isolate((_streams, Direction: DirectionOf(stream)), static state => state._streams.Add(1, state.Direction));
        }

        if (_opened.Enabled)
        {
            Isolate((_opened, Direction: DirectionOf(stream)), static state => state._opened.Add(1, state.Direction));
        }
    }

    /// <param name="stream">It has left its session.</param>
    /// <param name="cause">What ended it; null: both ends have closed it.</param>
    public void OnStreamEnded(YamuxStream stream, YamuxErrorCode? cause)
    {
        if (stream.IsCounted)
        {
            Isolate((_streams, Direction: DirectionOf(stream)), static state => state._streams.Add(-1, state.Direction));
        }

        if (cause is not null && _reset.Enabled && ReasonOf(cause) is { } reason)
        {
            Isolate((_reset, reason), static state => state._reset.Add(1, new KeyValuePair<string, object?>("yamux.reset.reason", state.reason)));
        }
    }

    public void OnStreamRefused(string reason)
    {
        if (_refused.Enabled)
        {
            Isolate((_refused, reason), static state => state._refused.Add(1, new KeyValuePair<string, object?>("yamux.refusal.reason", state.reason)));
        }
    }

    public void OnReceived(long count)
    {
        if (_bytes.Enabled)
        {
            Isolate((_bytes, count), static state => state._bytes.Add(state.count, Received));
        }
    }

    /// <param name="count">How many bytes the transport has taken.</param>
    /// <param name="frames">How many frames began in them, or <see cref="IO.FrameCount.Unknown"/>.</param>
    public void OnWritten(int count, int frames)
    {
        if (_bytes.Enabled)
        {
            Isolate((_bytes, count), static state => state._bytes.Add(state.count, Sent));
        }

        if (frames != IO.FrameCount.Unknown)
        {
            Isolate((_frames, frames), static state => state._frames.Record(state.frames));
        }
    }

    /// <summary>A wait has ended that was to be measured.</summary>
    public void OnWaited(SendWait wait, TimeSpan time)
        => Isolate((Waits: wait == SendWait.Credit ? _creditWaits : _transportWaits, time), static state => state.Waits.Record(state.time.TotalSeconds));

    private static KeyValuePair<string, object?> DirectionOf(YamuxStream stream) => stream.IsOutbound ? Outbound : Inbound;

    // Null: it went with its session, and nobody has reset it.
    private static string? ReasonOf(YamuxErrorCode? cause) => cause switch
    {
        YamuxErrorCode.StreamReset => "peer",
        YamuxErrorCode.StreamAborted => "local",
        YamuxErrorCode.StreamOpenTimeout => "open_timeout",
        YamuxErrorCode.StreamCloseTimeout => "close_timeout",
        _ => null,
    };

    // What a listener fails to note there is nobody else to tell.
    private static void Isolate<TState>(TState state, Action<TState> measure)
    {
        try
        {
            measure(state);
        }
        catch (Exception)
        {
            // See above.
        }
    }
}
