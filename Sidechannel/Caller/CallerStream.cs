using System.Buffers;
using System.Runtime.CompilerServices;
using Yamux;

namespace Sidechannel;

/// <summary>
/// The caller's end: what it writes goes in packets, what it reads is raw. Disposing it does nothing, since its registration
/// closes it when the callback ends: cleanly or not, as the callback does.
/// </summary>
internal sealed class CallerStream(YamuxStream stream) : SidechannelStream(stream)
{
    private readonly PacketSequence _packets = new();
    private bool _completed;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        => Raw.ReadAsync(buffer, cancellationToken);

    /// <summary>Gives what has arrived as it lies there, without a copy.</summary>
    public override Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
    {
        ValidateCopyToArguments(destination, bufferSize);
        return Inner.Input.CopyToAsync(destination, cancellationToken);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_completed)
        {
            throw new InvalidOperationException("The writes of this sidechannel are completed; nothing can be written to it.");
        }

        cancellationToken.ThrowIfCancellationRequested();
        while (!buffer.IsEmpty)
        {
            var bytes = buffer[..Math.Min(buffer.Length, PacketSequence.MaxBytes)];
            await WriteThroughAsync(_packets.Wrap(bytes), cancellationToken).ConfigureAwait(false);
            buffer = buffer[bytes.Length..];
        }
    }

    public override async ValueTask CompleteWritesAsync(CancellationToken cancellationToken = default)
    {
        if (_completed)
        {
            return;
        }

        _completed = true;
        await WriteThroughAsync(new ReadOnlySequence<byte>(PacketHeader.End.ToArray()), cancellationToken).ConfigureAwait(false);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteThroughAsync(ReadOnlySequence<byte> packets, CancellationToken cancellationToken)
    {
        try
        {
            await Inner.WriteAsync(packets, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException cancellation)
        {
            // Nobody can tell where the next packet begins.
            Abort(cancellation);
            throw;
        }
    }
}
