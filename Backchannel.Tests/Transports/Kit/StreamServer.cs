using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Backchannel.Tests.Kit;
using Yamux;

namespace Backchannel.Tests.Transports.Kit;

/// <summary>A session over a <see cref="NetworkStream"/>, or over the <see cref="SslStream"/> upon it.</summary>
internal sealed class StreamServer : ITransportServer
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    /// <param name="settings">Those of the session.</param>
    /// <param name="certificate">Null: without TLS.</param>
    public StreamServer(SessionSettings settings, X509Certificate2? certificate)
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        Connected = ConnectAsync(settings, certificate);
    }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndPoint!;

    public Task<(YamuxSession Session, Socket Socket)> Connected { get; }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await Connected.Guarded();
    }

    private async Task<(YamuxSession Session, Socket Socket)> ConnectAsync(SessionSettings settings, X509Certificate2? certificate)
    {
        var socket = await _listener.AcceptAsync();
        Stream stream = new NetworkStream(socket, ownsSocket: true);
        if (certificate is not null)
        {
            socket.ConfigureForYamux();
            var secure = new SslStream(stream);
            await secure.AuthenticateAsServerAsync(certificate);
            stream = secure;
        }

        return (YamuxSession.Create(stream, settings.Role, settings.Options, settings.Logger), socket);
    }
}
