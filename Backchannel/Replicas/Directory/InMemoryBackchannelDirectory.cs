using System.Globalization;

namespace Backchannel;

/// <summary>A directory within the process: of a single replica, or of several in one process, as tests have them.</summary>
/// <param name="timeProvider">The directory's clock; null: the system's.</param>
public sealed class InMemoryBackchannelDirectory(TimeProvider? timeProvider = null) : BackchannelDirectory
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _timeProvider = timeProvider ?? TimeProvider.System;
    private readonly Dictionary<string, (ReplicaRecord Record, DateTimeOffset Until)> _replicas = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<PeerRecord>> _names = new(StringComparer.Ordinal); // The largest generation first.
    private int _epoch;

    /// <summary>Forgets everything, as a directory does that has lost its memory.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _replicas.Clear();
            _names.Clear();
            _epoch++;
        }
    }

    /// <inheritdoc/>
    public override ValueTask<ReplicaLease> RenewAsync(ReplicaRecord replica, TimeSpan lease, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(replica);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lease, TimeSpan.Zero);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            var now = _timeProvider.GetUtcNow();
            foreach (var id in _replicas.Where(known => known.Value.Until <= now).Select(known => known.Key).ToArray())
            {
                _replicas.Remove(id);
            }

            var hadLapsed = !_replicas.ContainsKey(replica.Id);
            _replicas[replica.Id] = (replica, now + lease);
            return new(new ReplicaLease(_epoch.ToString(CultureInfo.InvariantCulture), hadLapsed, [.. _replicas.Values.Select(known => known.Record)]));
        }
    }

    /// <inheritdoc/>
    public override ValueTask LeaveAsync(string replicaId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(replicaId);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            _replicas.Remove(replicaId);
        }

        return default;
    }

    /// <inheritdoc/>
    public override ValueTask<PeerRegistration> RegisterAsync(
        PeerRecord record, TimeSpan age, bool alone, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(record);
        cancellationToken.ThrowIfCancellationRequested();
        PeerRegistration registration;
        lock (_gate)
        {
            registration = RegisterUnsynchronized(record, age, alone);
        }

        OnChanged(record.Name);
        return new(registration);
    }

    /// <inheritdoc/>
    public override ValueTask UnregisterAsync(PeerRecord record, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(record);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            if (!_names.TryGetValue(record.Name, out var records) || records.RemoveAll(other => IsSame(other, record)) == 0)
            {
                return default;
            }

            if (records.Count == 0)
            {
                _names.Remove(record.Name);
            }
        }

        OnChanged(record.Name);
        return default;
    }

    /// <inheritdoc/>
    public override ValueTask<IReadOnlyList<PeerRecord>> FindAsync(string name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return new(_names.TryGetValue(name, out var records) ? records.ToArray() : []);
        }
    }

    private PeerRegistration RegisterUnsynchronized(PeerRecord record, TimeSpan age, bool alone)
    {
        var records = _names.GetValueOrDefault(record.Name) ?? [];
        var time = _timeProvider.GetUtcNow();
        records.RemoveAll(other => other.Replica != record.Replica && (!_replicas.TryGetValue(other.Replica, out var known) || known.Until <= time));
        var own = records.Find(other => IsSame(other, record));
        var now = time.Subtract(DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        var generation = record.Generation != 0 ? record.Generation
            : own is not null ? own.Generation
            : age == TimeSpan.Zero ? Math.Max(now, records.Count == 0 ? 0 : records[0].Generation + 1)
            : Math.Max(1, now - (age.Ticks / TimeSpan.TicksPerMicrosecond));
        if (own is not null)
        {
            records.Remove(own);
        }

        bool IsSameInstance(PeerRecord other) => record.Instance.Length > 0 && other.Instance == record.Instance;
        var result = records.Exists(other => IsSameInstance(other) && other.Generation > generation) ? PeerRegistrationResult.Superseded
            : alone && records.Exists(other => !IsSameInstance(other) && other.Generation < generation) ? PeerRegistrationResult.NameInUse
            : records.Count(other => !IsSameInstance(other)) >= MaxRecordsPerName ? PeerRegistrationResult.TooMany
            : PeerRegistrationResult.Registered;
        if (result == PeerRegistrationResult.Registered)
        {
            records.RemoveAll(IsSameInstance);
            records.Add(record with { Generation = generation });
            records.Sort(static (one, other) => other.Generation.CompareTo(one.Generation));
        }

        if (records.Count == 0)
        {
            _names.Remove(record.Name);
        }
        else
        {
            _names[record.Name] = records;
        }

        return result == PeerRegistrationResult.Registered ? new PeerRegistration(result, generation, records[0].Generation) : new PeerRegistration(result);
    }

    private static bool IsSame(PeerRecord one, PeerRecord other) => one.Replica == other.Replica && one.Attachment == other.Attachment;
}
