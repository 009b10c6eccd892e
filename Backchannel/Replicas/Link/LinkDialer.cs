using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Yamux;

namespace Backchannel;

/// <summary>Makes the connections to other replicas: TCP, TLS with this replica's certificate, the magic, and a yamux session.</summary>
internal sealed class LinkDialer(IOptions<BackchannelReplicaOptions> options, ILoggerFactory loggers)
{
    private readonly ILogger _sessionLogger = loggers.CreateLogger("Yamux");

    /// <exception cref="IOException">It could not be made; the message says why.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<YamuxSession> DialAsync(ReplicaRecord replica, CancellationToken cancellationToken)
    {
        var address = replica.Address;
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream? stream = null;
        try
        {
            await socket.ConnectAsync(new DnsEndPoint(address.IdnHost, address.Port), cancellationToken).ConfigureAwait(false);
            socket.ConfigureForYamux();
            stream = new NetworkStream(socket, ownsSocket: true);
            if (address.Scheme == Uri.UriSchemeHttps)
            {
                stream = await AuthenticateAsync(stream, address, cancellationToken).ConfigureAwait(false);
            }
            else if (!options.Value.AllowPlaintext && !address.IsLoopback)
            {
                throw new IOException($"{address} is without TLS and not loopback ({nameof(BackchannelReplicaOptions)}.{nameof(BackchannelReplicaOptions.AllowPlaintext)})");
            }

            await stream.WriteAsync(LinkHeader.Magic.ToArray(), cancellationToken).ConfigureAwait(false);
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
            return YamuxSession.Create(stream, YamuxRole.Client, options.Value.Yamux, new ConnectionLogger(_sessionLogger, new ConnectionScope($"link to {replica.Id}", address)));
        }
        catch (Exception failure)
        {
            if (stream is not null)
            {
                await stream.DisposeAsync().ConfigureAwait(false);
            }

            socket.Dispose();
            if (failure is SocketException or System.Security.Authentication.AuthenticationException or ArgumentException)
            {
                throw new IOException(failure.InnerException is { } inner ? $"{failure.Message} ({inner.Message})" : failure.Message, failure);
            }

            throw;
        }
    }

    private async Task<SslStream> AuthenticateAsync(Stream stream, Uri address, CancellationToken cancellationToken)
    {
        var tls = new SslClientAuthenticationOptions { TargetHost = address.IdnHost };
        options.Value.ConfigureTls?.Invoke(tls);
        var secured = new SslStream(stream);
        try
        {
            await secured.AuthenticateAsClientAsync(tls, cancellationToken).ConfigureAwait(false);
            return secured;
        }
        catch
        {
            await secured.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
