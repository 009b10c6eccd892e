using System.Runtime.CompilerServices;
using Yamux;

namespace Sidechannel;

/// <summary>
/// The caller's end: what it writes goes in packets, what it reads is raw. Disposing it does nothing, since its registration
/// closes it when the callback ends: cleanly or not, as the callback does.
/// </summary>
internal sealed class CallerStream(YamuxStream stream) : SidechannelStream(stream)
{
    private bool _completed;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        => Raw.ReadAsync(buffer, cancellationToken);

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
            var payload = buffer[..Math.Min(buffer.Length, PacketHeader.MaxPayload)];
            PacketHeader.Write(Inner.Output.GetSpan(PacketHeader.Size), payload.Length);
            Inner.Output.Advance(PacketHeader.Size);
            await WriteThroughAsync(payload, cancellationToken).ConfigureAwait(false);
            buffer = buffer[payload.Length..];
        }
    }

    public override async ValueTask CompleteWritesAsync(CancellationToken cancellationToken = default)
    {
        if (_completed)
        {
            return;
        }

        _completed = true;
        await WriteThroughAsync(PacketHeader.End.ToArray(), cancellationToken).ConfigureAwait(false);
    }

    // Sends what waits in the output, a header, with it.
    private async ValueTask WriteThroughAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            await Raw.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException cancellation)
        {
            // Nobody can tell where the next packet begins.
            Abort(cancellation);
            throw;
        }
    }
}
