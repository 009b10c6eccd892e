using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace Backchannel.Tests.Kit;

/// <summary>Knows the connections that an endpoint serves.</summary>
internal sealed class ConnectionCounter
{
    private readonly ConcurrentDictionary<string, ConnectionContext> _connections = new();

    public int Count => _connections.Count;

    public ICollection<ConnectionContext> Connections => _connections.Values;

    public async Task CountAsync(ConnectionContext connection, Func<Task> next)
    {
        _connections[connection.ConnectionId] = connection;
        try
        {
            await next();
        }
        finally
        {
            _connections.TryRemove(connection.ConnectionId, out _);
        }
    }
}
