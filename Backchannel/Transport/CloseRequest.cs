using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;

namespace Backchannel;

/// <summary>Has middleware hear that a connection is to close. What it hangs on that is its own: it may take its time, and its failure is logged.</summary>
internal static class CloseRequest
{
    /// <summary>Elsewhere. Nobody has to wait for it: it throws nothing.</summary>
    public static async Task CancelAsync(this CancellationTokenSource closing, ILogger logger, string connectionId)
    {
        try
        {
            await closing.CancelAsync().ConfigureAwait(false);
        }
        catch (AggregateException failure)
        {
            BackchannelLog.ClosingFailed(logger, connectionId, failure);
        }
    }

    /// <summary>The same of a connection of Kestrel's, and here.</summary>
    public static void RequestClose(this IConnectionLifetimeNotificationFeature lifetime, ILogger logger, string connectionId)
    {
        try
        {
            lifetime.RequestClose();
        }
        catch (AggregateException failure)
        {
            BackchannelLog.ClosingFailed(logger, connectionId, failure);
        }
    }
}
