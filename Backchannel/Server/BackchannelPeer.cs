using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Security.Claims;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Yamux;

namespace Backchannel;

/// <summary>A client that is connected to this server, and can be called by it.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A source of cancellation without a timer has nothing to release.")]
public sealed class BackchannelPeer : ICallee
{
    private const string Unanswered =
        "The client ended the connection of the call instead of answering. Does it serve the backchannel (handler.UseBackchannel(host)), or has it gone?";

    private readonly LentStreams _lent;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _disconnected = new();
    private readonly PeerConnection _connection;
    private readonly PeerChannels _channels;
    private CallInvoker? _invoker; // Since it was first asked for: of many peers few are called, and a channel takes several kilobytes.
    private object? _invokerGate;
    private PresentPeer? _present; // While it is attached.
    private PeerIdentity? _identity; // Since it was first.
    private ConcurrentDictionary<object, object?>? _items;
    private volatile bool _isLeaving;
    private volatile bool _isEclipsed;
    private volatile bool _isOver; // It drains, or the session has ended: who looks for a peer by name reads this alone.

    internal BackchannelPeer(long id, YamuxSession session, PeerConnection connection, BackchannelServerOptions options, PeerChannels channels)
    {
        Id = id;
        Session = session;
        _connection = connection;
        _channels = channels;
        ConnectedAt = options.Yamux.TimeProvider.GetUtcNow();
        Disconnected = _disconnected.Token;
        Calls = new PeerCalls(options.MaxCallsPerPeer);
        _lent = new LentStreams(_ => Unanswered, options.Yamux.TimeProvider);
        _lent.Ended += () => _drained.TrySetResult();
        _lent.PeerLeaving += () => _isLeaving = true;
    }

    /// <summary>The peer's id: 1, 2, 3 … in the order in which the clients connected to this server. Never used again.</summary>
    public long Id { get; }

    /// <summary>
    /// Calls the services that the client hosts: give it to the constructor of a generated client. Calls of several
    /// threads share it. Once the client has gone, or one of the two ends is about to close the connection, calls fail with <see cref="StatusCode.Unavailable"/>.
    /// </summary>
    /// <remarks>
    /// <see cref="CallCredentials"/> of a call are sent where the connection has TLS; where it has not, the call throws <see cref="InvalidOperationException"/>.
    /// </remarks>
    public CallInvoker Invoker
        => Volatile.Read(ref _invoker) ?? LazyInitializer.EnsureInitialized(ref _invoker, ref _invokerGate, () => _channels.Create(this, IsEncrypted));

    /// <summary>The name that the client has attached with, and that the server has given it; null if it never has, as Gitaly's do not. It stays when the attachment ends.</summary>
    public string? Name => Volatile.Read(ref _identity)?.Name;

    /// <summary>What the client says to tell its runs apart: another at each start of its process. Null if it has not attached; empty if it says nothing.</summary>
    public string? Instance => Volatile.Read(ref _identity)?.Instance;

    /// <summary>The version that the client says it has. Null if it has not attached; empty if it says nothing.</summary>
    public string? AgentVersion => Volatile.Read(ref _identity)?.AgentVersion;

    /// <summary>The labels that the client has attached with; none if it has not. They are its own word: at most 64, of 16,384 bytes together.</summary>
    public IReadOnlyDictionary<string, string> Labels => Volatile.Read(ref _identity)?.Labels ?? PeerIdentity.NoLabels;

    /// <summary>As whom the client has authenticated when it attached; null if it has not attached.</summary>
    public ClaimsPrincipal? User => Volatile.Read(ref _identity)?.User;

    /// <summary>When the connection became a peer.</summary>
    public DateTimeOffset ConnectedAt { get; }

    /// <summary>The shortest round trip to the client that was measured, by yamux's pings; null while there was none.</summary>
    public TimeSpan? RoundTrip => Session.RoundTripTime;

    /// <summary>For whatever the application wants to keep with the connection. Thread safe.</summary>
    public IDictionary<object, object?> Items => LazyInitializer.EnsureInitialized(ref _items, static () => new ConcurrentDictionary<object, object?>());

    /// <summary>The client's address, or null on transports that have none.</summary>
    public EndPoint? RemoteEndPoint => _connection.RemoteEndPoint;

    /// <summary>The certificate that the client has shown (mutual TLS), or null.</summary>
    public X509Certificate2? ClientCertificate => _connection.ClientCertificate;

    /// <summary>Completes when the connection to the client has ended.</summary>
    public Task Completion => Session.Completion;

    /// <summary>Cancelled when the connection to the client has ended.</summary>
    public CancellationToken Disconnected { get; }

    /// <summary>The session that carries everything between the client and this server, for streams beside gRPC.</summary>
    public YamuxSession Session { get; }

    /// <summary>Raised once, when <see cref="Drained"/> has completed.</summary>
    internal event Action CallsEnded
    {
        add => _lent.Ended += value;
        remove => _lent.Ended -= value;
    }

    /// <summary>Completes when the peer drains and no call to it runs any more.</summary>
    internal Task Drained => _drained.Task;

    /// <summary>Whether a call to it may begin.</summary>
    internal bool TakesCalls => !_isOver;

    /// <summary>Whether a newer one of its name is attached to another replica.</summary>
    internal bool IsEclipsed
    {
        get => _isEclipsed;
        set => _isEclipsed = value;
    }

    /// <summary>Whether it has said on one of its HTTP/2 connections that it takes no further calls there. It may take them on another.</summary>
    internal bool IsLeaving => _isLeaving;

    /// <summary>Whether its connection was lost, rather than closed.</summary>
    internal bool HasFailed => Session.Completion.IsFaulted;

    /// <summary>Whether its connection has TLS.</summary>
    internal bool IsEncrypted => _connection.IsEncrypted;

    /// <summary>The id of this replica; null where there are no others.</summary>
    internal string? Replica => _channels.Replica;

    /// <summary>Whether there is an attachment.</summary>
    internal bool IsAttached => Volatile.Read(ref _present) is not null;

    /// <summary>The scope of what is logged of its connection.</summary>
    internal ConnectionScope Scope => _connection.Scope;

    PeerLocation ICallee.Location => new(Name, _channels.Replica, Volatile.Read(ref _present)?.Number ?? 0, this);

    long? ICallee.PeerId => Id;

    string ICallee.Description => FormattableString.Invariant($"peer {Id}");

    PeerCalls ICallee.Calls => Calls;

    /// <summary>Those that run.</summary>
    internal PeerCalls Calls { get; }

    /// <summary>
    /// Sends the client away: it can no longer be called by its name, hears why, and its connection closes when the calls that run have ended, or
    /// <see cref="BackchannelServerOptions.DrainTimeout"/> is over.
    /// </summary>
    /// <param name="reason">Why, for the client's log.</param>
    /// <param name="retryAfter">When it may come back, in whole milliseconds, which an agent of this library obeys; default: when it likes.</param>
    /// <param name="cancellationToken">Gives up waiting; the connection closes all the same.</param>
    /// <returns>Completes when the connection has ended: in a call that the same client makes, or serves, do not wait for it.</returns>
    /// <exception cref="ArgumentNullException">The reason is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time is less than 0, or more than 24 days.</exception>
    public async Task DisconnectAsync(string reason, TimeSpan retryAfter = default, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reason);
        ArgumentOutOfRangeException.ThrowIfLessThan(retryAfter, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(retryAfter, TimeSpan.FromDays(24));
        Volatile.Read(ref _present)?.End(PeerDisconnectReason.Kicked, reason, retryAfter);
        RequestClose(); // Which is nothing new, if there was an attachment.
        await Task.WhenAny(Completion).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Becomes attached. False: it is, and not by what this takes the place of.</summary>
    internal bool TryAttach(PresentPeer present, PresentPeer? inPlaceOf)
    {
        if (Interlocked.CompareExchange(ref _present, present, inPlaceOf) != inPlaceOf)
        {
            return false;
        }

        Volatile.Write(ref _identity, present.Identity);
        return true;
    }

    /// <summary>This attachment has ended.</summary>
    internal void OnDetached(PresentPeer present) => Interlocked.CompareExchange(ref _present, null, present);

    /// <summary>Closes the connection in good order, and within <see cref="BackchannelServerOptions.DrainTimeout"/>.</summary>
    internal void RequestClose() => _connection.RequestClose();

    /// <summary>The connection has ended. What the application has hung on that runs elsewhere, and is logged if it fails.</summary>
    internal void OnDisconnected(ILogger logger, string connectionId)
    {
        _isOver = true;
        _ = _disconnected.CancelAsync(logger, connectionId);
    }

    /// <summary>Lets no further call begin. Those that run go on.</summary>
    /// <returns>Whether it is the first time.</returns>
    internal bool Drain(string reason)
    {
        _isOver = true;
        return _lent.Close(reason);
    }

    /// <exception cref="NotDispatchedException">No further call may begin.</exception>
    internal void ThrowIfDraining()
    {
        if (_lent.CloseReason is { } reason)
        {
            throw NoBackchannel(reason);
        }
    }

    void ICallee.ThrowIfDraining() => ThrowIfDraining();

    ValueTask<Stream> ICallee.ConnectAsync(CancellationToken cancellationToken) => ConnectAsync(cancellationToken);

    /// <summary>A stream for another replica, which calls the peer through it. <see cref="EndForward"/> must follow. False: the peer takes no more calls, or has as many such streams as it may.</summary>
    /// <param name="most">How many it may have.</param>
    /// <param name="isFull">Whether it has as many.</param>
    internal bool TryBeginForward(int most, out bool isFull) => _lent.TryLendUnseen(most, out isFull);

    /// <summary>It has ended.</summary>
    internal void EndForward() => _lent.TakeBackUnseen();

    /// <summary>A connection of the channel to the peer.</summary>
    internal async ValueTask<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        ThrowIfDraining();
        try
        {
            var stream = await Session.OpenStreamAsync(cancellationToken).ConfigureAwait(false);
            return _lent.TryLend(stream) ?? throw NoBackchannel(_lent.CloseReason!);
        }
        catch (YamuxException failure)
        {
            throw NoBackchannel(failure.Message, failure);
        }
        catch (ObjectDisposedException failure)
        {
            throw NoBackchannel("its connection was closed at this end", failure);
        }
    }

    private NotDispatchedException NoBackchannel(string reason, Exception? failure = null) => new($"{BackchannelRegistry.NoBackchannel(Id)}: {reason}", failure);
}
