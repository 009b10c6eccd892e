using System.Net;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Yamux;

namespace Backchannel;

/// <summary>A client that is connected to this server, and can be called by it.</summary>
public sealed class BackchannelPeer
{
    private const string Unanswered =
        "The client ended the connection of the call instead of answering. Does it serve the backchannel (handler.UseBackchannel(host)), or has it gone?";

    private readonly LentStreams _lent;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal BackchannelPeer(
        long id, YamuxSession session, EndPoint? remoteEndPoint, X509Certificate2? clientCertificate, bool isEncrypted, BackchannelServerOptions options)
    {
        Id = id;
        Session = session;
        RemoteEndPoint = remoteEndPoint;
        ClientCertificate = clientCertificate;
        Invoker = PeerChannel.Create(this, isEncrypted, options);
        _lent = new LentStreams(_ => Unanswered, options.Yamux.TimeProvider);
        _lent.Ended += () => _drained.TrySetResult();
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
    public CallInvoker Invoker { get; }

    /// <summary>The client's address, or null on transports that have none.</summary>
    public EndPoint? RemoteEndPoint { get; }

    /// <summary>The certificate that the client has shown (mutual TLS), or null.</summary>
    public X509Certificate2? ClientCertificate { get; }

    /// <summary>Completes when the connection to the client has ended.</summary>
    public Task Completion => Session.Completion;

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

    /// <summary>Lets no further call begin. Those that run go on.</summary>
    /// <returns>Whether it is the first time.</returns>
    internal bool Drain(string reason) => _lent.Close(reason);

    /// <exception cref="IOException">No further call may begin.</exception>
    internal void ThrowIfDraining()
    {
        if (_lent.CloseReason is { } reason)
        {
            throw NoBackchannel(reason);
        }
    }

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

    private IOException NoBackchannel(string reason, Exception? failure = null) => new($"{BackchannelRegistry.NoBackchannel(Id)}: {reason}", failure);
}
