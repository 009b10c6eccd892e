using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Benchmarks.Wire;

/// <summary>The connections that streams run over: TCP that sends at once, under TLS if wanted.</summary>
internal static class Transport
{
    private static readonly Lazy<X509Certificate2> Certificate = new(SelfSignedCertificate.Create);

    [SuppressMessage("Security", "CA5359", Justification = "Speed is measured, not trust.")]
    public static async Task<Stream> ConnectAsync(IPEndPoint address, bool tls)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        var connection = new NetworkStream(socket, ownsSocket: true);
        if (!tls)
        {
            return connection;
        }

        var encrypted = new SslStream(connection, leaveInnerStreamOpen: false, (_, _, _, _) => true);
        return await HandshakeAsync(encrypted, encrypted.AuthenticateAsClientAsync("localhost"));
    }

    public static async Task<Stream> AcceptAsync(Socket socket, bool tls)
    {
        socket.NoDelay = true;
        var connection = new NetworkStream(socket, ownsSocket: true);
        if (!tls)
        {
            return connection;
        }

        var encrypted = new SslStream(connection);
        return await HandshakeAsync(encrypted, encrypted.AuthenticateAsServerAsync(Certificate.Value));
    }

    private static async Task<Stream> HandshakeAsync(SslStream stream, Task handshake)
    {
        try
        {
            await handshake;
            return stream;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }
}
