using Microsoft.AspNetCore.Connections;

namespace Backchannel.Tests.Kit;

/// <summary>Counts the connections that an endpoint serves.</summary>
internal sealed class ConnectionCounter
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public async Task CountAsync(ConnectionContext connection, Func<Task> next)
    {
        Interlocked.Increment(ref _count);
        try
        {
            await next();
        }
        finally
        {
            Interlocked.Decrement(ref _count);
        }
    }
}
