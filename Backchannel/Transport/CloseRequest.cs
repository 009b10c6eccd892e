using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;

namespace Backchannel;

/// <summary>Asks a connection to close, as a server that stops asks all.</summary>
internal static class CloseRequest
{
    /// <summary>Throws nothing: what fails of that which middleware does then is logged.</summary>
    public static void Send(ConnectionContext connection, ILogger logger)
    {
        try
        {
            connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
        }
        catch (Exception failure)
        {
            BackchannelLog.ClosingFailed(logger, connection.ConnectionId, failure);
        }
    }
}
