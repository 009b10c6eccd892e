using Yamux;

namespace Backchannel;

internal static class YamuxSessionExtensions
{
    /// <summary>The next stream of the peer's; null when the session has ended. If it has failed, that is told by the session itself, and by each of its streams.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async ValueTask<YamuxStream?> AcceptUntilEndAsync(this YamuxSession session, bool acknowledge = true, CancellationToken cancellationToken = default)
    {
        try
        {
            return await session.AcceptStreamAsync(acknowledge, cancellationToken).ConfigureAwait(false);
        }
        catch (YamuxException)
        {
            return null;
        }
    }
}
