using System.IO.Pipelines;

namespace Yamux.Internal;

/// <content>Copying: what has been passed on is consumed, and credited, before the next piece is, so that a slow destination does not withhold it.</content>
internal sealed partial class StreamReader
{
    public override Task CopyToAsync(Stream destination, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        return CopyAsync(
            destination,
            static async (stream, piece, token) =>
            {
                await stream.WriteAsync(piece, token).ConfigureAwait(false);
                return true;
            },
            cancellationToken);
    }

    public override Task CopyToAsync(PipeWriter destination, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        return CopyAsync(
            destination,
            static async (writer, piece, token) =>
            {
                var flush = await writer.WriteAsync(piece, token).ConfigureAwait(false);
                return flush.IsCanceled ? throw new OperationCanceledException("The flush was cancelled by CancelPendingFlush.") : !flush.IsCompleted;
            },
            cancellationToken);
    }

    // The writer returns false when it wants no more.
    private async Task CopyAsync<T>(T destination, Func<T, ReadOnlyMemory<byte>, CancellationToken, ValueTask<bool>> write, CancellationToken cancellationToken)
    {
        var goesOn = true;
        while (goesOn)
        {
            var read = await ReadAsync(cancellationToken).ConfigureAwait(false);
            var passed = read.Buffer.Start;
            try
            {
                if (read.IsCanceled)
                {
                    throw new OperationCanceledException("The read was cancelled by CancelPendingRead.");
                }

                // Not the whole of it, which may be a window.
                var piece = read.Buffer.First;
                goesOn = (piece.IsEmpty || await write(destination, piece, cancellationToken).ConfigureAwait(false))
                    && !(read.IsCompleted && read.Buffer.IsSingleSegment);
                passed = read.Buffer.GetPosition(piece.Length);
            }
            finally
            {
                AdvanceTo(passed);
            }
        }
    }
}
