using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Yamux;
using Yamux.Tests.Kit;

namespace Backchannel.Tests.Transports.Kit;

/// <summary>Kestrel's end of a connection, with a fault between the session and Kestrel's pipes.</summary>
internal sealed class FaultyConnection(ConnectionContext connection) : IFaultyEnd
{
    private readonly TaskCompletionSource<YamuxSession> _session = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Socket _socket = connection.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket;
    private FaultyTransport _transport = null!;

    /// <summary>The session, as soon as it has begun.</summary>
    public Task<YamuxSession> Session => _session.Task;

    public TransportFault? Fault => _transport.Fault;

    public Task Reached => _transport.Reached;

    public FrameTally Received => _transport.Received;

    public long Written => _transport.Written;

    public bool HasEnded => _transport.HasEnded;

    public bool IsReleased => _socket.SafeHandle.IsClosed;

    /// <summary>One, that closes the socket of a peer which takes nothing of what Kestrel has left: it ends by itself, behind the session.</summary>
    public int LastingTimers => 1;

    /// <summary>Kestrel closes the connection, when the session has ended.</summary>
    public async Task WaitForReleaseAsync()
    {
        while (!IsReleased)
        {
            await PoolTurn.WaitAsync();
        }
    }

    /// <summary>Has this fault, or none.</summary>
    public FaultyConnection With(TransportFault? fault)
    {
        _transport = new FaultyTransport(connection.Transport, fault);
        return this;
    }

    public YamuxSession CreateSession(YamuxRole role, YamuxOptions options, ILogger logger)
    {
        connection.Transport = _transport;
        var session = connection.CreateYamuxSession(role, options, logger);
        _session.SetResult(session);
        return session;
    }
}
