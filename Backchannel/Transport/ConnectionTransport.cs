using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Yamux;

namespace Backchannel;

/// <summary>
/// A connection of Kestrel's, or of any other server of ASP.NET Core's, as the transport of a session. Its pipe alone cannot be ended: what Kestrel has begun to send
/// to a peer that does not read ends with the connection.
/// </summary>
internal sealed class ConnectionTransport : YamuxTransport
{
    private readonly ConnectionContext _connection;
    private readonly Socket? _socket;
    private ITimer? _deadline;

    public ConnectionTransport(ConnectionContext connection)
    {
        _connection = connection;

        // A stream of a session knows the socket of all of them, which is not its own.
        _socket = connection.Features.Get<IYamuxStreamFeature>() is null ? connection.Features.Get<IConnectionSocketFeature>()?.Socket : null;
        _socket?.ConfigureForYamux();
    }

    public override PipeReader Input => _connection.Transport.Input;

    public override PipeWriter Output => _connection.Transport.Output;

    public override void Abort(Exception reason) => _connection.Abort(new ConnectionAbortedException(reason.Message, reason));

    // Kestrel would wait for ever for a peer that takes nothing of what its pipe holds. By then the connection may have been released, and not every kind can be aborted
    // afterwards; a socket can be closed at any time.
    public override void AbortAfter(TimeSpan timeout, TimeProvider timeProvider, Exception reason)
    {
        if (_socket is not null)
        {
            _deadline = timeProvider.CreateTimer(static socket => ((Socket)socket!).Dispose(), _socket, timeout, Timeout.InfiniteTimeSpan);
        }
    }

    // Whoever serves the connection releases it when its middleware returns.
    public override ValueTask DisposeAsync() => default;
}
