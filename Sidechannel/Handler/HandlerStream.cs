using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Yamux;

namespace Sidechannel;

/// <summary>The handler's end: what it reads comes in packets, what it writes is raw. Disposing it sends what was written, and FIN, or aborts it if the call was cancelled.</summary>
internal sealed class HandlerStream(YamuxStream stream) : SidechannelStream(stream)
{
    private int _payloadLeft;
    private bool _ended;
    private SidechannelException? _failure;
    private CancellationToken _callToken;
    private CancellationTokenRegistration _aborting;

    /// <summary>Aborts the sidechannel when the token is cancelled, until it is disposed of.</summary>
    public void AbortWith(CancellationToken cancellationToken)
    {
        _callToken = cancellationToken;
        _aborting = cancellationToken.UnsafeRegister(static channel => ((HandlerStream)channel!).AbortCancelled(), this);
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_ended || buffer.IsEmpty)
        {
            return new ValueTask<int>(0);
        }

        ThrowIfFailed();
        var read = Inner.Input.ReadAsync(cancellationToken);
        if (!read.IsCompletedSuccessfully)
        {
            return ReadSlowAsync(read, buffer, cancellationToken);
        }

        var result = read.Result;
        return TryTake(result, buffer.Span, out var count)
            ? new ValueTask<int>(count)
            : ReadSlowAsync(Inner.Input.ReadAsync(cancellationToken), buffer, cancellationToken);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        => Raw.WriteAsync(buffer, cancellationToken);

    public override ValueTask CompleteWritesAsync(CancellationToken cancellationToken = default)
    {
        Inner.Output.Complete();
        return default;
    }

    public override async ValueTask DisposeAsync()
    {
        await _aborting.DisposeAsync().ConfigureAwait(false);
        AbortIfCancelled();
        await Inner.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _aborting.Dispose();
            AbortIfCancelled();
            Raw.Dispose();
        }

        base.Dispose(disposing);
    }

    private void AbortCancelled() => Abort(new OperationCanceledException("The call was cancelled.", _callToken));

    // A cancellation runs its callbacks one by one, the last first, and what the handler itself hangs on the token may have ended it before ours was
    // called. What it then disposes of is not whole. The second disposal is the request's, which must not touch what has ended well.
    private void AbortIfCancelled()
    {
        if (_callToken.IsCancellationRequested)
        {
            AbortCancelled();
        }

        _callToken = CancellationToken.None;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReadSlowAsync(ValueTask<ReadResult> read, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int count;
        while (!TryTake(await read.ConfigureAwait(false), buffer.Span, out count))
        {
            read = Inner.Input.ReadAsync(cancellationToken);
        }

        return count;
    }

    // False: more must come. A fault comes after the bytes before it.
    private bool TryTake(ReadResult result, Span<byte> destination, out int count)
    {
        var reader = new SequenceReader<byte>(result.Buffer);
        count = 0;
        while (count < destination.Length && !_ended && (_payloadLeft > 0 || TryTakeHeader(ref reader)))
        {
            var wanted = Math.Min(_payloadLeft, destination.Length - count);
            var taken = (int)Math.Min(wanted, reader.Remaining);
            reader.TryCopyTo(destination.Slice(count, taken));
            reader.Advance(taken);
            _payloadLeft -= taken;
            count += taken;
            if (taken < wanted)
            {
                break;
            }
        }

        var done = count > 0 || _ended;
        Inner.Input.AdvanceTo(reader.Position, done ? reader.Position : result.Buffer.End);
        if (done)
        {
            return true;
        }

        if (result.IsCompleted)
        {
            _failure ??= new SidechannelException(
                SidechannelErrorCode.Truncated,
                $"The caller's bytes ended {(_payloadLeft > 0 ? $"{_payloadLeft} bytes before the end of a packet" : "without the packet that ends them")}.");
        }

        ThrowIfFailed();
        if (result.IsCanceled)
        {
            throw new OperationCanceledException("The read was cancelled by CancelPendingRead.");
        }

        return false;
    }

    private bool TryTakeHeader(ref SequenceReader<byte> reader)
    {
        Span<byte> header = stackalloc byte[PacketHeader.Size];
        if (!reader.TryCopyTo(header))
        {
            return false;
        }

        int? length;
        try
        {
            length = PacketHeader.ReadPayloadLength(header);
        }
        catch (SidechannelException failure)
        {
            _failure = failure;
            return false;
        }

        reader.Advance(PacketHeader.Size);
        _payloadLeft = length ?? 0;
        _ended = length is null;
        return true;
    }

    // A fresh one for each read, so that no two stack traces mix.
    private void ThrowIfFailed()
    {
        if (_failure is { } failure)
        {
            throw new SidechannelException(failure.ErrorCode, failure.Message);
        }
    }
}
