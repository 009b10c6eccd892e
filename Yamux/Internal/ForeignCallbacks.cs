namespace Yamux.Internal;

/// <summary>Tokens that users have, whose callbacks are foreign code.</summary>
internal static class ForeignCallbacks
{
    /// <summary>Runs them on the thread pool: we may be on the read loop. Nobody has to wait for it; it throws nothing.</summary>
    public static async Task CancelAsync(this CancellationTokenSource source, Action<AggregateException> onFailed)
    {
        try
        {
            await source.CancelAsync().ConfigureAwait(false);
        }
        catch (AggregateException error)
        {
            onFailed(error);
        }
    }
}
