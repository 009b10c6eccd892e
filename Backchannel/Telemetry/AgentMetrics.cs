using System.Diagnostics.Metrics;

namespace Backchannel;

/// <summary>The meter Backchannel.Agent; docs/telemetry.md has every instrument.</summary>
internal sealed class AgentMetrics
{
    public const string MeterName = "Backchannel.Agent";

    private static readonly InstrumentAdvice<double> Buckets = new() { HistogramBucketBoundaries = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600] };

    private readonly TimeProvider _timeProvider;
    private readonly UpDownCounter<long> _attached;
    private readonly Counter<long> _reconnects;
    private readonly Counter<long> _failures;
    private readonly Histogram<double> _reconnectDuration;
    private bool _isAttached;
    private bool _wasAttached;
    private long _lost;

    public AgentMetrics(IMeterFactory meters, AgentClock clock)
    {
        _timeProvider = clock.TimeProvider;
        var meter = meters.Create(MeterName);
        _attached = meter.CreateUpDownCounter<long>("backchannel.agent.attached", "{agent}", "1 while the agent is attached to its server.");
        _reconnects = meter.CreateCounter<long>("backchannel.agent.reconnects", "{connection}", "Attachments behind the first.");
        _failures = meter.CreateCounter<long>("backchannel.agent.attach.failures", "{attempt}", "Attempts to attach that have failed.");
        _reconnectDuration = meter.CreateHistogram("backchannel.agent.reconnect.duration", "s", "From the loss of an attachment to the next.", tags: null, Buckets);
    }

    /// <summary>The agent is attached, or attached anew on another connection.</summary>
    public void OnAttached()
    {
        if (_wasAttached)
        {
            _reconnects.Add(1);
            if (!_isAttached)
            {
                _reconnectDuration.Record(_timeProvider.GetElapsedTime(_lost).TotalSeconds);
            }
        }

        if (!_isAttached)
        {
            _attached.Add(1);
        }

        _isAttached = _wasAttached = true;
    }

    /// <summary>It is not, any more or still.</summary>
    public void OnDetached()
    {
        if (_isAttached)
        {
            _attached.Add(-1);
            _isAttached = false;
            _lost = _timeProvider.GetTimestamp();
        }
    }

    public void OnAttachFailed() => _failures.Add(1);
}
