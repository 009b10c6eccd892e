using Microsoft.AspNetCore.Connections;

namespace Backchannel;

/// <summary>Stands before everything that serves a stream: its session knows what is being served, and waits for it when it drains.</summary>
internal static class ServedConnections
{
    public static ConnectionDelegate Use(ConnectionDelegate next) => async connection =>
    {
        var session = connection.Features.Get<HostedSession>();
        session?.OnServing(connection);
        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            session?.OnServed(connection);
        }
    };
}
