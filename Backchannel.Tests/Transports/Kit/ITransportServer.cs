using System.Net;
using System.Net.Sockets;
using Yamux;

namespace Backchannel.Tests.Transports.Kit;

/// <summary>Listens on loopback, and runs a session on the one connection that comes.</summary>
internal interface ITransportServer : IAsyncDisposable
{
    /// <summary>Where it listens.</summary>
    IPEndPoint Address { get; }

    /// <summary>The session, and the socket that is under it.</summary>
    Task<(YamuxSession Session, Socket Socket)> Connected { get; }
}
