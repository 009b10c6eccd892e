using System.Diagnostics.Metrics;

namespace Backchannel;

/// <summary>The meter Backchannel.Replicas; docs/telemetry.md has every instrument.</summary>
internal sealed class ReplicaMetrics
{
    public const string MeterName = "Backchannel.Replicas";

    private readonly UpDownCounter<long> _links;
    private readonly UpDownCounter<long> _streams;
    private readonly Counter<long> _calls;
    private readonly Counter<long> _bytes;
    private readonly Counter<long> _refusals;
    private readonly Counter<long> _directoryFailures;

    public ReplicaMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _links = meter.CreateUpDownCounter<long>("backchannel.replica.links", "{connection}", "Connections to other replicas that this one has made.");
        _streams = meter.CreateUpDownCounter<long>("backchannel.replica.active_forwards", "{stream}", "Streams of other replicas to agents of this one.");
        _calls = meter.CreateCounter<long>("backchannel.replica.forwarded_calls", "{call}", "Calls to agents of other replicas.");
        _bytes = meter.CreateCounter<long>("backchannel.replica.forward.io", "By", "Bytes that this replica has passed on between another and its agents.");
        _refusals = meter.CreateCounter<long>("backchannel.replica.refusals", "{stream}", "Streams to agents that another replica has refused.");
        _directoryFailures = meter.CreateCounter<long>("backchannel.replica.directory.failures", "{operation}", "Operations of the directory that have failed.");
    }

    public void LinkUp() => _links.Add(1);

    public void LinkDown() => _links.Add(-1);

    public void ForwardBegan() => _streams.Add(1);

    public void ForwardEnded() => _streams.Add(-1);

    public void CallForwarded() => _calls.Add(1);

    /// <param name="fromReplica">Whether they came from the other replica, and not from the agent.</param>
    /// <param name="count">How many.</param>
    public void Passed(bool fromReplica, int count)
    {
        if (_bytes.Enabled && count > 0)
        {
            _bytes.Add(count, new KeyValuePair<string, object?>("network.io.direction", fromReplica ? "transmit" : "receive"));
        }
    }

    public void Refused(LinkAnswer answer) => _refusals.Add(1, new KeyValuePair<string, object?>("backchannel.replica.answer", answer switch
    {
        LinkAnswer.NotHere => "not_here",
        LinkAnswer.Draining => "draining",
        LinkAnswer.Fenced => "fenced",
        LinkAnswer.TooMany => "too_many",
        LinkAnswer.OtherReplica => "other_replica",
        LinkAnswer.UnknownVersion => "unknown_version",
        _ => "unknown",
    }));

    public void DirectoryFailed() => _directoryFailures.Add(1);
}
