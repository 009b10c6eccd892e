using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;

namespace Backchannel;

/// <summary>The meter Backchannel.Server; docs/telemetry.md has every instrument. No peer's name is a tag: there may be a hundred thousand.</summary>
internal sealed class ServerMetrics
{
    public const string MeterName = "Backchannel.Server";

    private static readonly InstrumentAdvice<double> Short = new() { HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] };
    private static readonly InstrumentAdvice<double> Long = new() { HistogramBucketBoundaries = [1, 10, 60, 300, 900, 3600, 4 * 3600, 24 * 3600, 7 * 24 * 3600] };

    private readonly TimeProvider _timeProvider;
    private readonly UpDownCounter<long> _connections;
    private readonly UpDownCounter<long> _peers;
    private readonly Histogram<double> _connectionDuration;
    private readonly Counter<long> _attachFailures;
    private readonly Histogram<double> _callDuration;
    private readonly Histogram<double> _drainDuration;

    public ServerMetrics(IMeterFactory meters, TimeProvider timeProvider)
    {
        _timeProvider = timeProvider;
        var meter = meters.Create(MeterName);
        _connections = meter.CreateUpDownCounter<long>("backchannel.server.active_connections", "{connection}", "Multiplexed connections, whether or not an agent is attached on them.");
        _peers = meter.CreateUpDownCounter<long>("backchannel.server.active_peers", "{peer}", "Agents that are attached under a name.");
        _connectionDuration = meter.CreateHistogram("backchannel.server.connection.duration", "s", "How long multiplexed connections have lasted.", tags: null, Long);
        _attachFailures = meter.CreateCounter<long>("backchannel.server.attach.failures", "{attachment}", "Attachments that were refused, or have failed.");
        _callDuration = meter.CreateHistogram("backchannel.server.peer_call.duration", "s", "How long calls to peers have taken.", tags: null, Short);
        _drainDuration = meter.CreateHistogram("backchannel.server.drain.duration", "s", "How long it took until no agent was attached any more.", tags: null, Long);
    }

    /// <summary>Whether anybody wants to know of calls.</summary>
    public bool CallsAreObserved => _callDuration.Enabled;

    public long Now => _timeProvider.GetTimestamp();

    public void ConnectionBegan() => _connections.Add(1);

    /// <param name="began">When, as <see cref="Now"/> was.</param>
    /// <param name="failed">Whether it was lost.</param>
    public void ConnectionEnded(long began, bool failed)
    {
        _connections.Add(-1);
        if (_connectionDuration.Enabled)
        {
            _connectionDuration.Record(Seconds(began), new KeyValuePair<string, object?>("backchannel.disconnect.reason", failed ? "connection_lost" : "closed"));
        }
    }

    public void Attached() => _peers.Add(1);

    public void Detached() => _peers.Add(-1);

    public void AttachFailed(StatusCode status) => _attachFailures.Add(1, new KeyValuePair<string, object?>(BackchannelActivities.StatusCode, (int)status));

    public void CallEnded(long began, IMethod method, StatusCode status) => _callDuration.Record(Seconds(began), new TagList
    {
        { BackchannelActivities.System, "grpc" },
        { BackchannelActivities.Service, method.ServiceName },
        { BackchannelActivities.Method, method.Name },
        { BackchannelActivities.StatusCode, (int)status },
    });

    public void Drained(long began) => _drainDuration.Record(Seconds(began));

    private double Seconds(long began) => _timeProvider.GetElapsedTime(began).TotalSeconds;
}
