using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Backchannel;

/// <summary>
/// This replica's lease: renews it, and knows from that who else lives, whether the directory can be used, and whether this replica was out of the world for longer than it lasts.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A source of cancellation without a timer has nothing to release.")]
internal sealed class ReplicaMembership(BackchannelDirectory directory, IOptions<BackchannelReplicaOptions> options, IOptions<BackchannelServerOptions> server, PeersDrain drain, ReplicaMetrics metrics, ILoggerFactory loggers)
{
    private const int IdLength = 12;

    // Of replicas that were looked for and do not live. None comes again but one that has stood still, and that shows when the lease is renewed.
    private const int MostDead = 1000;

    private readonly BackchannelReplicaOptions _options = options.Value;
    private readonly TimeProvider _timeProvider = server.Value.Yamux.TimeProvider;
    private readonly ILogger _logger = loggers.CreateLogger("Backchannel.Replicas");
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _renewing = new(1);
    private readonly Lock _gate = new();
    private readonly HashSet<string> _dead = new(StringComparer.Ordinal);
    private Task? _looking; // Not begun yet: whoever comes has what it will see.
    private Task _running = Task.CompletedTask;
    private IReadOnlyDictionary<string, ReplicaRecord> _live = new Dictionary<string, ReplicaRecord>();
    private volatile bool _isAvailable;
    private string? _failure; // The last that was logged, while the directory is away.
    private string? _epoch;
    private bool _hasRenewed;
    private long _heard; // When the directory last answered, or failed to.
    private (string Id, long Since)? _sameAddress;
    private (IReadOnlyDictionary<string, ReplicaRecord> Live, long Since)? _before; // Of another epoch.

    /// <summary>Raised when all that is attached here is to be written down anew: the directory has lost it, or may have.</summary>
    public event Action? RegistrationsLost;

    /// <summary>Raised when the directory could not be used and can again: what could not be written is to be.</summary>
    public event Action? DirectoryReturned;

    /// <summary>How many are attached here, for the log.</summary>
    public Func<int> CountAttached { get; set; } = () => 0;

    /// <summary>Which replica this is.</summary>
    public string Id { get; } = RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz0123456789", IdLength);

    /// <summary>Those that live, as far as is known, this one among them; by id.</summary>
    public IReadOnlyDictionary<string, ReplicaRecord> Live => Volatile.Read(ref _live);

    /// <summary>Whether the directory has answered the last time.</summary>
    public bool IsAvailable => _isAvailable;

    /// <summary>
    /// Whether this replica has stood still for longer than its lease: others may have taken it for dead, and its agents may be elsewhere by now. Until it has heard of the directory
    /// again, be it that it is away: that others have not renewed theirs for want of a directory says nothing.
    /// </summary>
    public bool IsFenced => _timeProvider.GetElapsedTime(Volatile.Read(ref _heard)) > _options.LeaseTime;

    private ReplicaRecord Record => new(Id, _options.Address!, drain.HasBegun ? ReplicaState.Draining : ReplicaState.Live);

    /// <summary>Takes the lease, or learns that the directory is away, and goes on with it.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        ReplicaLog.Started(_logger, Id, _options.Address!);
        Volatile.Write(ref _heard, _timeProvider.GetTimestamp());
        await RenewAsync(cancellationToken).ConfigureAwait(false);
        _running = DetachedTask.Run(RunAsync);
    }

    /// <summary>A replica that lives. One that is not known may have started just now: the directory is asked. Null: there is none.</summary>
    public async ValueTask<ReplicaRecord?> FindAsync(string id, CancellationToken cancellationToken)
    {
        if (Live.TryGetValue(id, out var known))
        {
            return known;
        }

        Task looking;
        lock (_gate)
        {
            if (_dead.Contains(id) || !_isAvailable)
            {
                return null;
            }

            looking = _looking ??= DetachedTask.Run(LookAsync);
        }

        await looking.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (Live.TryGetValue(id, out known))
        {
            return known;
        }

        lock (_gate)
        {
            if (_dead.Count >= MostDead)
            {
                _dead.Clear();
            }

            _dead.Add(id);
        }

        return null;
    }

    /// <summary>Gives the lease back.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        try
        {
            await directory.LeaveAsync(Id, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is DirectoryUnavailableException or OperationCanceledException)
        {
            _logger.LeaveFailed(failure); // It lapses.
        }
    }

    private async Task RunAsync()
    {
        var began = _timeProvider.GetTimestamp();
        while (!_stopping.IsCancellationRequested)
        {
            var left = _options.RenewInterval - _timeProvider.GetElapsedTime(began);
            if (left > TimeSpan.Zero)
            {
                await Task.Delay(left, _timeProvider, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            began = _timeProvider.GetTimestamp();
            if (!_stopping.IsCancellationRequested)
            {
                await RenewAsync(_stopping.Token).ConfigureAwait(false);
            }
        }
    }

    private async Task LookAsync()
    {
        await _renewing.WaitAsync(_stopping.Token).ConfigureAwait(false);
        try
        {
            lock (_gate)
            {
                _looking = null;
            }

            await RenewUnsynchronizedAsync(_stopping.Token).ConfigureAwait(false);
        }
        finally
        {
            _renewing.Release();
        }
    }

    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        await _renewing.WaitAsync(CancellationToken.None).ConfigureAwait(false); // The other is bounded too.
        try
        {
            await RenewUnsynchronizedAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _renewing.Release();
        }
    }

    private async Task RenewUnsynchronizedAsync(CancellationToken cancellationToken)
    {
        try
        {
            var lease = await directory.RenewAsync(Record, _options.LeaseTime, cancellationToken).ConfigureAwait(false);
            Volatile.Write(ref _heard, _timeProvider.GetTimestamp());
            OnRenewed(lease);
        }
        catch (DirectoryUnavailableException failure)
        {
            Volatile.Write(ref _heard, _timeProvider.GetTimestamp());
            _isAvailable = false;
            metrics.DirectoryFailed();
            if (_failure != failure.Message)
            {
                _failure = failure.Message;
                ReplicaLog.DirectoryLost(_logger, _options.RenewInterval, failure.Message);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // It stops.
        }
    }

    private void OnRenewed(ReplicaLease lease)
    {
        Volatile.Write(ref _live, GetLive(lease));
        lock (_gate)
        {
            _dead.ExceptWith(lease.Live.Select(replica => replica.Id));
        }

        var wasLost = _failure is not null;
        var isLost = _hasRenewed && (lease.HadLapsed || lease.Epoch != _epoch);
        _failure = null;
        _epoch = lease.Epoch;
        _hasRenewed = true;
        _isAvailable = true;
        CheckAddress(lease);
        if (wasLost)
        {
            ReplicaLog.DirectoryFound(_logger, CountAttached());
        }
        else if (isLost)
        {
            ReplicaLog.LeaseLapsed(_logger, _options.LeaseTime, CountAttached());
        }

        if (isLost || wasLost)
        {
            // Redis has lost its memory, or others have thrown away what is of a dead replica; or it has frozen, and nobody knows what it has done of what it was told.
            RegistrationsLost?.Invoke();
        }

        if (wasLost)
        {
            DirectoryReturned?.Invoke();
        }
    }

    // A directory that has lost everything knows of each again when that renews its lease: until then it lives as it did.
    private Dictionary<string, ReplicaRecord> GetLive(ReplicaLease lease)
    {
        var live = lease.Live.ToDictionary(replica => replica.Id, StringComparer.Ordinal);
        if (_hasRenewed && lease.Epoch != _epoch)
        {
            _before = (Live, _timeProvider.GetTimestamp());
        }

        if (_before is not { } before)
        {
            return live;
        }

        if (_timeProvider.GetElapsedTime(before.Since) > _options.LeaseTime)
        {
            _before = null;
            return live;
        }

        foreach (var (id, replica) in before.Live)
        {
            live.TryAdd(id, replica);
        }

        return live;
    }

    // One that has died has its lease for a while, and its address may be that of the next at once.
    private void CheckAddress(ReplicaLease lease)
    {
        var other = lease.Live.FirstOrDefault(replica => replica.Id != Id && replica.Address == _options.Address)?.Id;
        if (other is null)
        {
            _sameAddress = null;
        }
        else if (_sameAddress?.Id != other)
        {
            _sameAddress = (other, _timeProvider.GetTimestamp());
        }
        else if (_sameAddress is { Since: > 0 } since && _timeProvider.GetElapsedTime(since.Since) > _options.LeaseTime * 2)
        {
            _sameAddress = (other, 0);
            ReplicaLog.AddressInUse(_logger, other, _options.Address!);
        }
    }
}
