namespace Backchannel;

/// <summary>Makes the connections of an HTTP client callable from the server.</summary>
public static class BackchannelSocketsHttpHandlerExtensions
{
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(20);

    /// <summary>
    /// Lets the servers that this handler connects to call the services of <paramref name="host"/>, over the connections
    /// that the handler makes. The server must know the backchannel: a plain one refuses such a connection.
    /// </summary>
    /// <remarks>
    /// Settings that would close a connection for being idle, while the server still wants to call back, are changed unless
    /// they were set: <see cref="SocketsHttpHandler.PooledConnectionIdleTimeout"/> from its default of 1 minute to infinite, and
    /// <see cref="SocketsHttpHandler.KeepAlivePingDelay"/> from infinite to 20 s, as Gitaly's clients ping.
    /// </remarks>
    /// <param name="handler">The handler, not used yet. A <see cref="SocketsHttpHandler.PlaintextStreamFilter"/> that it has runs first.</param>
    /// <param name="host">The client's services. It must outlive the handler's connections, which end when it is disposed.</param>
    /// <returns><paramref name="handler"/>.</returns>
    /// <exception cref="InvalidOperationException">The handler has a backchannel already, or has been used.</exception>
    public static SocketsHttpHandler UseBackchannel(this SocketsHttpHandler handler, BackchannelHost host)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(host);
        if (handler.PlaintextStreamFilter?.Target is BackchannelConnector)
        {
            throw new InvalidOperationException("The handler has a backchannel already.");
        }

        handler.PlaintextStreamFilter = new BackchannelConnector(host, handler.PlaintextStreamFilter).ConnectAsync;
        if (handler.PooledConnectionIdleTimeout == TimeSpan.FromMinutes(1))
        {
            handler.PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan;
        }

        if (handler.KeepAlivePingDelay == Timeout.InfiniteTimeSpan)
        {
            handler.KeepAlivePingDelay = PingDelay;
        }

        return handler;
    }
}
