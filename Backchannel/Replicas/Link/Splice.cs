using System.IO.Pipelines;
using Yamux;

namespace Backchannel;

/// <summary>
/// Passes the bytes of two streams on to each other, and their ends: a FIN is a FIN of the other, a reset a reset, and what one does not take is not asked of the other, whose window stays shut. The
/// directions are apart: that one of them takes no more does not destroy what the other still has to say.
/// </summary>
internal static class Splice
{
    /// <summary>Until both directions have ended. Throws nothing.</summary>
    /// <param name="one">A stream.</param>
    /// <param name="other">Another, of another session.</param>
    /// <param name="passed">Told of each piece: from <paramref name="one"/> or not, and its length in bytes.</param>
    public static async Task RunAsync(YamuxStream one, YamuxStream other, Action<bool, int> passed)
    {
        await Task.WhenAll(PassAsync(one, other, length => passed(true, length)), PassAsync(other, one, length => passed(false, length))).ConfigureAwait(false);
        await one.DisposeAsync().ConfigureAwait(false);
        await other.DisposeAsync().ConfigureAwait(false);
    }

    // Piece by piece: what has been passed on is credited before the next is, so that a slow destination does not withhold it. The piece is copied once, into what the other session sends.
    private static async Task PassAsync(YamuxStream from, YamuxStream to, Action<int> passed)
    {
        while (true)
        {
            ReadResult read;
            try
            {
                read = await from.Input.ReadAsync().ConfigureAwait(false);
            }
            catch (YamuxException failure)
            {
                to.Abort(failure); // It was reset, or lost with its session.
                return;
            }

            var piece = read.Buffer.First;
            var isLast = read.IsCompleted && read.Buffer.IsSingleSegment;
            try
            {
                if (isLast || !piece.IsEmpty)
                {
                    await to.WriteAsync(piece, completeWrites: isLast).ConfigureAwait(false);
                    passed(piece.Length);
                }
            }
            catch (Exception failure) when (failure is YamuxException or ObjectDisposedException or InvalidOperationException)
            {
                from.Input.AdvanceTo(read.Buffer.End);
                from.AbortRead(failure); // Nobody takes it any more. How the other stream has ended, its reader knows.
                return;
            }

            from.Input.AdvanceTo(read.Buffer.GetPosition(piece.Length));
            if (isLast)
            {
                return;
            }
        }
    }
}
