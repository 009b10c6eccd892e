using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Backchannel;

/// <summary>
/// Writes down in the directory who is attached here. What is to be written of one name is written one after the other, so that a registration never overtakes the end of the one before; what could not be
/// written is when the directory can be used again.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A source of cancellation without a timer has nothing to release.")]
internal sealed class PeerRegistrar : IPeerNamesWatch
{
    // Names at once. More do not make Redis faster.
    private const int Writers = 64;

    // Of those that have left while the directory could not be used. It forgets them itself, if later.
    private const int MostDebts = 100_000;

    private const int MostForgotten = 10_000;

    private static readonly TimeSpan RewriteTick = TimeSpan.FromSeconds(1);

    private readonly BackchannelDirectory _directory;
    private readonly ReplicaMembership _membership;
    private readonly PeerNames _names;
    private readonly ReplicaMetrics _metrics;
    private readonly bool _alone;
    private readonly bool _spread;
    private readonly TimeSpan _rewriteInterval;
    private readonly TimeProvider _timeProvider;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, RegisteredName> _registered = new(StringComparer.Ordinal);
    private readonly HashSet<string> _debts = new(StringComparer.Ordinal); // Of which something could not be written.
    private readonly Channel<string> _queue = Channel.CreateUnbounded<string>(); // Each name once at most.
    private readonly HashSet<PeerRecord> _forgotten = []; // What the directory has, and is not here.
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _rewriting = new(); // Its end.
    private Task _running = Task.CompletedTask;

    public PeerRegistrar(
        BackchannelDirectory directory,
        ReplicaMembership membership,
        PeerNames names,
        ReplicaMetrics metrics,
        IOptions<BackchannelReplicaOptions> options,
        IOptions<BackchannelServerOptions> server,
        ILoggerFactory loggers)
    {
        _directory = directory;
        _membership = membership;
        _names = names;
        _metrics = metrics;
        _alone = server.Value.DuplicateNames == DuplicateNames.RefuseNewer;
        _spread = server.Value.DuplicateNames == DuplicateNames.Spread;
        _rewriteInterval = options.Value.RewriteInterval;
        _timeProvider = server.Value.Yamux.TimeProvider;
        _logger = loggers.CreateLogger("Backchannel.Replicas");
        membership.CountAttached = () => names.Count;
        membership.RegistrationsLost += QueueAll;
        membership.DirectoryReturned += QueueDebts;
        directory.Changed += OnChanged;
    }

    /// <summary>Before anybody can attach.</summary>
    public void Start()
    {
        _names.BeginWatch(this);
        _running = DetachedTask.Run(() => Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => WriteAsync()).Append(RewriteAsync())));
    }

    /// <summary>When nobody is attached any more, or has to be: what is left is written while there is time for it.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _names.EndWatch(this);
        _queue.Writer.TryComplete();
        using (cancellationToken.UnsafeRegister(static stopping => ((CancellationTokenSource)stopping!).Cancel(), _stopping))
        {
            if (!_membership.IsAvailable)
            {
                await _stopping.CancelAsync().ConfigureAwait(false);
            }

            await _rewriting.CancelAsync().ConfigureAwait(false);
            await _running.ConfigureAwait(false);
        }
    }

    /// <summary>Waits until one is written down that has just attached, or until that is known to take longer.</summary>
    public async ValueTask<PeerRegistrationResult> WhenRegisteredAsync(PresentPeer present, CancellationToken cancellationToken)
    {
        Task<PeerRegistrationResult>? first;
        lock (_gate)
        {
            first = _registered.GetValueOrDefault(present.Name)?.Peers.Find(peer => peer.Present == present)?.First.Task;
        }

        return first is null ? PeerRegistrationResult.Registered : await first.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The directory has one of this replica's that is not here: it is to go.</summary>
    public void Forget(string name, long attachment)
    {
        var record = new PeerRecord(name, _membership.Id, attachment, 0, "");
        lock (_gate)
        {
            if (_forgotten.Count < MostForgotten && _forgotten.Add(record))
            {
                GetUnsynchronized(name);
                QueueUnsynchronized(name);
            }
        }
    }

    void IPeerNamesWatch.OnConnected(PresentPeer peer)
    {
        lock (_gate)
        {
            GetUnsynchronized(peer.Name).Peers.Add(new RegisteredPeer(peer, _timeProvider.GetTimestamp()));
            QueueUnsynchronized(peer.Name);
        }
    }

    void IPeerNamesWatch.OnDisconnected(PresentPeer peer, PeerDisconnectReason reason)
    {
        lock (_gate)
        {
            if (_registered.GetValueOrDefault(peer.Name)?.Peers.Find(other => other.Present == peer) is { } known)
            {
                known.HasLeft = true;
                QueueUnsynchronized(peer.Name);
            }
        }
    }

    // What is the same of one run of the agent, short, and of characters that a directory takes.
    private static string Token(string instance)
        => instance.Length == 0 ? "" : Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(instance)).AsSpan(0, 12)).Replace('+', '-').Replace('/', '_');

    // A hint: of a name that is attached here something has changed elsewhere.
    private void OnChanged(string name)
    {
        lock (_gate)
        {
            if (_registered.ContainsKey(name))
            {
                QueueUnsynchronized(name);
            }
        }
    }

    private void QueueAll()
    {
        lock (_gate)
        {
            foreach (var name in _registered.Keys)
            {
                QueueUnsynchronized(name);
            }
        }
    }

    private void QueueDebts()
    {
        lock (_gate)
        {
            foreach (var name in _debts)
            {
                QueueUnsynchronized(name);
            }

            _debts.Clear();
        }
    }

    private RegisteredName GetUnsynchronized(string name)
    {
        if (!_registered.TryGetValue(name, out var registered))
        {
            _registered.Add(name, registered = new RegisteredName());
        }

        return registered;
    }

    private void QueueUnsynchronized(string name)
    {
        if (!_registered.TryGetValue(name, out var registered))
        {
            return;
        }

        registered.IsDirty = true;
        if (!registered.IsQueued)
        {
            registered.IsQueued = _queue.Writer.TryWrite(name);
        }
    }

    private async Task WriteAsync()
    {
        await foreach (var name in _queue.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            await WriteAsync(name).ConfigureAwait(false);
        }
    }

    private async Task WriteAsync(string name)
    {
        while (Take(name) is { } peers)
        {
            try
            {
                foreach (var record in TakeForgotten(name))
                {
                    await _directory.UnregisterAsync(record, _stopping.Token).ConfigureAwait(false);
                }

                foreach (var peer in peers)
                {
                    await WriteAsync(peer).ConfigureAwait(false);
                }
            }
            catch (Exception failure) when (failure is DirectoryUnavailableException or OperationCanceledException)
            {
                if (_membership.IsAvailable)
                {
                    _metrics.DirectoryFailed();
                }

                ReplicaLog.WriteFailed(_logger, name, failure.Message);
                PutOff(name, peers);
                return;
            }
        }
    }

    private async Task WriteAsync(RegisteredPeer peer)
    {
        var record = new PeerRecord(peer.Present.Name, _membership.Id, peer.Present.Number, peer.Generation, Token(peer.Present.Identity.Instance));
        if (!_membership.IsAvailable)
        {
            throw new DirectoryUnavailableException("the directory cannot be used");
        }

        if (peer.HasLeft)
        {
            if (peer.WasTried)
            {
                await _directory.UnregisterAsync(record, _stopping.Token).ConfigureAwait(false);
            }

            Remove(peer);
            return;
        }

        // What was tried before may have been there first.
        var age = peer.WasTried && peer.Generation == 0 ? _timeProvider.GetElapsedTime(peer.AttachedAt) : TimeSpan.Zero;
        peer.WasTried = true;
        var registration = await _directory.RegisterAsync(record, age, _alone, _stopping.Token).ConfigureAwait(false);
        OnWritten(peer, registration);
    }

    private void OnWritten(RegisteredPeer peer, PeerRegistration registration)
    {
        if (registration.Result == PeerRegistrationResult.Registered)
        {
            peer.Generation = registration.Generation;
        }
        else if (registration.Result != PeerRegistrationResult.Superseded && !peer.First.TrySetResult(registration.Result))
        {
            ReplicaLog.RegistrationRefused(_logger, peer.Present.Name, registration.Result);
        }

        // The same instance, or another, is attached elsewhere, and later: it is called. When it goes, this one is again.
        peer.Present.Peer.IsEclipsed = registration.Result == PeerRegistrationResult.Superseded || (registration.NewestGeneration > registration.Generation && !_spread && IsNewestHere(peer, registration));
        peer.First.TrySetResult(registration.Result);
    }

    // The newest of the name may be another one that is attached here.
    private bool IsNewestHere(RegisteredPeer peer, PeerRegistration registration)
    {
        lock (_gate)
        {
            return _registered.GetValueOrDefault(peer.Present.Name)?.Peers.TrueForAll(other => other.Generation < registration.NewestGeneration || other.HasLeft) == true;
        }
    }

    // Null: nothing is to be written.
    private RegisteredPeer[]? Take(string name)
    {
        lock (_gate)
        {
            var registered = _registered[name];
            if (!registered.IsDirty)
            {
                registered.IsQueued = false;
                if (registered.Peers.Count == 0)
                {
                    _registered.Remove(name);
                }

                return null;
            }

            registered.IsDirty = false;
            return [.. registered.Peers];
        }
    }

    private PeerRecord[] TakeForgotten(string name)
    {
        lock (_gate)
        {
            var records = _forgotten.Where(record => record.Name == name && _registered[name].Peers.TrueForAll(peer => peer.Present.Number != record.Attachment)).ToArray();
            _forgotten.RemoveWhere(record => record.Name == name);
            return records;
        }
    }

    private void Remove(RegisteredPeer peer)
    {
        lock (_gate)
        {
            _registered.GetValueOrDefault(peer.Present.Name)?.Peers.Remove(peer);
        }

        peer.First.TrySetResult(PeerRegistrationResult.Registered);
    }

    private void PutOff(string name, RegisteredPeer[] peers)
    {
        lock (_gate)
        {
            var registered = _registered[name];
            registered.IsQueued = false;
            if (_debts.Count >= MostDebts)
            {
                registered.Peers.RemoveAll(peer => peer.HasLeft);
            }

            _debts.Add(name);
        }

        foreach (var peer in peers)
        {
            peer.First.TrySetResult(PeerRegistrationResult.Registered); // It can be called here; the rest is made up for.
        }
    }

    private async Task RewriteAsync()
    {
        var left = new Queue<string>();
        var share = 0;
        while (!_rewriting.IsCancellationRequested)
        {
            await Task.Delay(RewriteTick, _timeProvider, _rewriting.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            lock (_gate)
            {
                if (left.Count == 0)
                {
                    left = new Queue<string>(_registered.Keys);
                    share = (int)Math.Ceiling(left.Count * (RewriteTick / _rewriteInterval));
                }

                for (var i = 0; i < share && left.TryDequeue(out var name); i++)
                {
                    QueueUnsynchronized(name);
                }
            }

            if (_membership.IsAvailable)
            {
                QueueDebts();
            }
        }
    }
}
