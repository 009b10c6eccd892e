namespace Backchannel;

/// <summary>Makes the connections of an HTTP client callable from the server.</summary>
public static class BackchannelSocketsHttpHandlerExtensions
{
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(20);

    // SocketsHttpHandler's own defaults, and IHttpClientFactory's for the lifetime: whoever has these has asked for nothing.
    private static readonly TimeSpan DefaultIdleTimeout = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan DefaultPingTimeout = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan FactoryLifetime = TimeSpan.FromMinutes(2);

    // As long as it takes to notice that a server has vanished from a connection that there is.
    private static readonly TimeSpan DefaultConnectTimeout = TimeSpan.FromSeconds(30);

    // As good as never, and within the milliseconds that the handler counts in an int.
    private static readonly TimeSpan NoPingTimeout = TimeSpan.FromDays(20);

    /// <summary>
    /// Lets the servers that this handler connects to call the services of <paramref name="host"/>, over the connections
    /// that the handler makes. The server must know the backchannel: a plain one refuses such a connection.
    /// </summary>
    /// <remarks>
    /// <para>What is returned is to be given to the channel, in the place of <paramref name="handler"/>: it sees to it that requests go over HTTP/2, as a backchannel does, refuses those
    /// that are to be HTTP/1 or HTTP/3, and begins each failure to connect with its reason. Where a factory keeps the handler itself (<c>UseSocketsHttpHandler</c>) all else works as well.</para>
    /// <para>All handlers of a host share one connection to each address and client certificate, with servers of this library: whatever made them
    /// (<c>IHttpClientFactory</c> makes one every two minutes), the server sees one peer. Gitaly's servers take one HTTP/2 connection each, so that a second handler is a second peer there.</para>
    /// <para>Settings that would end a connection which the server still needs are changed unless they were set:
    /// <see cref="SocketsHttpHandler.PooledConnectionIdleTimeout"/> from its default of 1 minute to infinite,
    /// <see cref="SocketsHttpHandler.PooledConnectionLifetime"/> from the 2 minutes of <c>IHttpClientFactory</c> to infinite (another is obeyed, and the calls that run then finish),
    /// <see cref="SocketsHttpHandler.KeepAlivePingDelay"/> from infinite to 20 s, as Gitaly's clients ping, and
    /// <see cref="SocketsHttpHandler.KeepAlivePingTimeout"/> from 20 s to 20 days, since such a ping may wait behind other bytes of the connection: whether the
    /// server lives is for yamux's keepalive to find out (<see cref="BackchannelHostOptions.Yamux"/>), to which any byte is an answer.</para>
    /// <para><see cref="SocketsHttpHandler.EnableMultipleHttp2Connections"/> is set: a server takes so many calls on one HTTP/2 connection, Kestrel 100, and the next one would
    /// wait for their end, for ever if they wait for it. <see cref="SocketsHttpHandler.ConnectTimeout"/>, 30 s where it was infinite, is also how long the server may take to say anything.</para>
    /// <para>A proxy, <see cref="SocketsHttpHandler.Proxy"/> or the environment's (<c>HTTPS_PROXY</c>), is connected through. An HTTP proxy
    /// serves only <c>https://</c> addresses, a SOCKS proxy <c>http://</c> too. A channel's address is that of a server: one for gRPC's own balancer
    /// (<c>dns:///</c>) is refused by <c>GrpcChannel.ForAddress</c>, since a host has one connection, and there is nothing to balance.</para>
    /// </remarks>
    /// <param name="handler">The handler, not used yet. A <see cref="SocketsHttpHandler.PlaintextStreamFilter"/> that it has runs first.</param>
    /// <param name="host">The client's services. It must outlive the handler's connections, which end when it is disposed.</param>
    /// <returns>The handler for the channel; disposing it disposes <paramref name="handler"/>.</returns>
    /// <exception cref="InvalidOperationException">The handler has a backchannel already, or has been used.</exception>
    public static HttpMessageHandler UseBackchannel(this SocketsHttpHandler handler, BackchannelHost host)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(host);
        if (handler.PlaintextStreamFilter?.Target is BackchannelConnector)
        {
            throw new InvalidOperationException("The handler has a backchannel already: call UseBackchannel once, and give what it returns to as many channels as you like.");
        }

        try
        {
            handler.PlaintextStreamFilter = new BackchannelConnector(host, handler, handler.PlaintextStreamFilter).ConnectAsync;
        }
        catch (InvalidOperationException used)
        {
            throw new InvalidOperationException("The handler was used already: call UseBackchannel before its first request, or take a new handler.", used);
        }

        // With one of any kind gRPC's own balancer leaves connecting to the handler. It would go past proxies, and there is nothing to balance.
        handler.ConnectCallback ??= TunedConnect.ConnectAsync;
        handler.EnableMultipleHttp2Connections = true;
        if (handler.ConnectTimeout == Timeout.InfiniteTimeSpan)
        {
            handler.ConnectTimeout = DefaultConnectTimeout;
        }

        if (handler.PooledConnectionIdleTimeout == DefaultIdleTimeout)
        {
            handler.PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan;
        }

        if (handler.PooledConnectionLifetime == FactoryLifetime)
        {
            handler.PooledConnectionLifetime = Timeout.InfiniteTimeSpan;
        }

        if (handler.KeepAlivePingDelay == Timeout.InfiniteTimeSpan)
        {
            handler.KeepAlivePingDelay = PingDelay;
        }

        if (handler.KeepAlivePingTimeout == DefaultPingTimeout)
        {
            handler.KeepAlivePingTimeout = NoPingTimeout;
        }

        return new BackchannelHandler(handler);
    }
}
