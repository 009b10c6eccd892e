namespace Backchannel;

/// <summary>What a handler's PlaintextStreamFilter does: after TLS, before HTTP/2, exactly where Gitaly's clients do it.</summary>
internal sealed class BackchannelConnector(
    BackchannelHost host,
    SocketsHttpHandler handler,
    Func<SocketsHttpPlaintextStreamFilterContext, CancellationToken, ValueTask<Stream>>? previous)
{
    public async ValueTask<Stream> ConnectAsync(SocketsHttpPlaintextStreamFilterContext context, CancellationToken cancellationToken)
    {
        var stream = previous is null
            ? context.PlaintextStream
            : await previous(context, cancellationToken).ConfigureAwait(false);
        if (context.NegotiatedHttpVersion.Major != 2)
        {
            if (context.InitialRequestMessage.Method == HttpMethod.Connect)
            {
                // To a proxy. The filter comes again for the connection to the server, through the tunnel that this one becomes.
                return new ProxyStream(stream, context.InitialRequestMessage, HasProxyCredentials);
            }

            await stream.DisposeAsync().ConfigureAwait(false);
            throw new BackchannelConnectException(
                $"A backchannel needs HTTP/2, and this connection speaks HTTP/{context.NegotiatedHttpVersion}: send requests with Version = HttpVersion.Version20 and VersionPolicy = RequestVersionExact, as gRPC does.");
        }

        try
        {
            return await host.ConnectAsync(stream, ConnectionKey.Of(context, handler, previous), handler.ConnectTimeout, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException failure) when (failure is not NotDispatchedException)
        {
            throw new BackchannelConnectException(failure.Message, failure.InnerException);
        }
    }

    private bool HasProxyCredentials() => HandlerProxy.Credentials(handler) is not null;
}
