using System.Net;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Yamux;

namespace Backchannel;

/// <summary>A client that is connected to this server, and can be called by it.</summary>
public sealed class BackchannelPeer
{
    internal BackchannelPeer(long id, YamuxSession session, EndPoint? remoteEndPoint, X509Certificate2? clientCertificate, BackchannelServerOptions options)
    {
        Id = id;
        Session = session;
        RemoteEndPoint = remoteEndPoint;
        ClientCertificate = clientCertificate;
        Invoker = PeerChannel.Create(this, options);
    }

    /// <summary>The peer's id: 1, 2, 3 … in the order in which the clients connected to this server. Never used again.</summary>
    public long Id { get; }

    /// <summary>
    /// Calls the services that the client hosts: give it to the constructor of a generated client. Calls of several
    /// threads share it. Once the client has gone, calls fail with <see cref="StatusCode.Unavailable"/>.
    /// </summary>
    public CallInvoker Invoker { get; }

    /// <summary>The client's address, or null on transports that have none.</summary>
    public EndPoint? RemoteEndPoint { get; }

    /// <summary>The certificate that the client has shown (mutual TLS), or null.</summary>
    public X509Certificate2? ClientCertificate { get; }

    /// <summary>Completes when the connection to the client has ended.</summary>
    public Task Completion => Session.Completion;

    /// <summary>The session that carries everything between the client and this server, for streams beside gRPC.</summary>
    public YamuxSession Session { get; }
}
