using Grpc.Core;
using Yamux;

namespace Backchannel;

/// <summary>
/// An agent that is attached to another replica. The channel to it has its HTTP/2 with the agent itself: each connection is a stream to the replica, which has answered "here" before the first byte of a request
/// exists, and passes all that follows on.
/// </summary>
internal sealed class FarPeer : ICallee, IEquatable<FarPeer>
{
    private readonly ReplicaRecord _replica;
    private readonly string _name;
    private readonly long _attachment;
    private readonly string _caller;
    private readonly ReplicaLink _link;
    private readonly PeerChannels _channels;
    private readonly BackchannelReplicaOptions _options;
    private readonly TimeProvider _timeProvider;
    private readonly LentStreams _lent;
    private readonly Lock _gate = new();
    private Task<LinkOpening>? _preparing;
    private YamuxStream? _prepared; // Its header is answered, and no handler has it yet.
    private CallInvoker? _invoker;
    private bool _isEncrypted;
    private volatile bool _isLeaving;
    private long _lastUsed;

    public FarPeer(
        ReplicaRecord replica,
        string name,
        long attachment,
        string caller,
        ReplicaLink link,
        PeerChannels channels,
        BackchannelReplicaOptions options,
        BackchannelServerOptions server)
    {
        _replica = replica;
        _name = name;
        _attachment = attachment;
        _caller = caller;
        _link = link;
        _channels = channels;
        _options = options;
        _timeProvider = server.Yamux.TimeProvider;
        Calls = new PeerCalls(server.MaxCallsPerPeer);
        _lent = new LentStreams(_ => $"{Description} ended the connection of the call instead of answering, or replica {replica.Id} did.", _timeProvider);
        _lent.PeerLeaving += () => _isLeaving = true;
        Touch();
    }

    /// <summary>The replica that it is attached to.</summary>
    public ReplicaRecord Replica => _replica;

    public PeerLocation Location => new(_name, _replica.Id, _attachment, null);

    public long? PeerId => null;

    public string Description => $"\"{_name}\" at replica {_replica.Id} ({_replica.Address})";

    public PeerCalls Calls { get; }

    public CallInvoker Invoker => Volatile.Read(ref _invoker) ?? throw new InvalidOperationException($"{Description} was not prepared.");

    /// <summary>Whether there is a connection to it, on which calls can be made at once.</summary>
    public bool IsReady
    {
        get
        {
            if (_isLeaving || _lent.CloseReason is not null)
            {
                return false;
            }

            lock (_gate)
            {
                return _prepared is { Closed.IsCancellationRequested: false } || (_invoker is not null && _lent.IsInUse);
            }
        }
    }

    /// <summary>For how long nobody has called it.</summary>
    public TimeSpan IdleTime => Calls.Count > 0 ? TimeSpan.Zero : _timeProvider.GetElapsedTime(Volatile.Read(ref _lastUsed));

    /// <summary>It is about to be called.</summary>
    public void Touch() => Volatile.Write(ref _lastUsed, _timeProvider.GetTimestamp());

    /// <summary>Makes a connection to it, unless there is one.</summary>
    /// <returns>What its replica has answered.</returns>
    public Task<LinkOpening> PrepareAsync(CancellationToken cancellationToken)
    {
        Touch();
        if (IsReady)
        {
            return Task.FromResult(new LinkOpening(LinkAnswer.Here));
        }

        Task<LinkOpening> preparing;
        lock (_gate)
        {
            preparing = _preparing ??= DetachedTask.Run(PrepareOnceAsync);
        }

        return preparing.WaitAsync(cancellationToken);
    }

    public void ThrowIfDraining()
    {
        Touch();
        if (_lent.CloseReason is { } reason)
        {
            throw new NotDispatchedException($"{Description}: {reason}");
        }
    }

    public async ValueTask<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        ThrowIfDraining();
        YamuxStream? stream;
        lock (_gate)
        {
            stream = _prepared;
            _prepared = null;
        }

        if (stream is null or { Closed.IsCancellationRequested: true })
        {
            stream?.Abort();
            var opening = await OpenAsync(cancellationToken).ConfigureAwait(false);
            stream = opening.Stream ?? throw new NotDispatchedException(Explain(opening));
            _isLeaving = false;
        }

        return _lent.TryLend(stream) ?? throw new NotDispatchedException($"{Description}: {_lent.CloseReason}");
    }

    /// <summary>Lets go of it: no further call begins, and its connections close when those that run have ended.</summary>
    public void Close()
    {
        _lent.Close("it was not called for a while");
        YamuxStream? prepared;
        lock (_gate)
        {
            prepared = _prepared;
            _prepared = null;
        }

        prepared?.Abort();
    }

    /// <summary>Why it cannot be called, as what has been answered says.</summary>
    public Status Explain(LinkOpening opening) => opening switch
    {
        { Answer: LinkAnswer.TooMany } => new Status(StatusCode.ResourceExhausted, $"{Description} has as many connections of other replicas as it may ({nameof(BackchannelReplicaOptions.MaxForwardedStreamsPerPeer)})"),
        { Answer: LinkAnswer.NotHere } => Unavailable("is not attached there any more"),
        { Answer: LinkAnswer.Draining } => Unavailable("is about to leave it"),
        { Answer: LinkAnswer.Fenced } => Unavailable("cannot be called now: that replica has stood still, and does not know yet whether its agents are still its own"),
        { Answer: LinkAnswer.OtherReplica } => Unavailable("cannot be called: another replica answers there"),
        { Answer: LinkAnswer.UnknownVersion } => Unavailable("cannot be called: that replica is older than this one, and speaks another version of links"),
        { Failure: { } failure } => Unavailable($"cannot be called, since that replica cannot be reached: {failure}"),
        _ => Unavailable("cannot be called"),
    };

    public bool Equals(FarPeer? other) => other is not null && other._replica.Id == _replica.Id && other._name == _name && other._attachment == _attachment;

    public override bool Equals(object? obj) => Equals(obj as FarPeer);

    public override int GetHashCode() => HashCode.Combine(_replica.Id, _name, _attachment);

    private Status Unavailable(string what) => new(StatusCode.Unavailable, $"peer {Description} {what}");

    private async Task<LinkOpening> PrepareOnceAsync()
    {
        LinkOpening opening = default;
        try
        {
            using var timeout = new CancellationTokenSource(_options.ConnectTimeout, _timeProvider);
            opening = await OpenAsync(timeout.Token).ConfigureAwait(false);
            return opening;
        }
        catch (OperationCanceledException)
        {
            return new LinkOpening(null, Failure: $"no answer within {_options.ConnectTimeout.TotalSeconds} s");
        }
        finally
        {
            YamuxStream? unwanted = null;
            lock (_gate)
            {
                _preparing = null;
                if (opening.Stream is { } stream)
                {
                    unwanted = _prepared;
                    _prepared = stream;
                    _isLeaving = false;
                    _isEncrypted = opening.Answer == LinkAnswer.HereEncrypted && _replica.Address.Scheme == Uri.UriSchemeHttps;
                    _invoker ??= _channels.Create(this, _isEncrypted, _options.FarPeerIdleTimeout);
                }
            }

            unwanted?.Abort();
        }
    }

    private ValueTask<LinkOpening> OpenAsync(CancellationToken cancellationToken)
        => _link.OpenAsync(new LinkHeader(_replica.Id, _caller, _name, _attachment), cancellationToken);
}
