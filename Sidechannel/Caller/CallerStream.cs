using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Yamux;

namespace Sidechannel;

/// <summary>
/// The caller's end: what it writes goes in packets, what it reads is raw. Disposing it does nothing, since its registration
/// closes it when the callback ends: cleanly or not, as the callback does.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "LetGo does it.")]
internal sealed class CallerStream : SidechannelStream
{
    private readonly CancellationToken _callbackToken;
    private readonly PacketSequence _packets = new();
    private readonly CancellationTokenSource _unread = new();
    private readonly CancellationTokenSource _unreadOrCancelled;
    private readonly CancellationToken _unreadToken;
    private readonly CancellationToken _unreadOrCancelledToken;
    private bool _callEnded;
    private bool _failedBefore; // The stream, before the call had ended; written before that is.
    private bool _completed;
    private bool _isCut; // A write of it was cancelled.
    private bool _writing;

    /// <param name="stream">The stream, past the handshake.</param>
    /// <param name="callbackToken">The token that the callback has.</param>
    public CallerStream(YamuxStream stream, CancellationToken callbackToken)
        : base(stream)
    {
        _callbackToken = callbackToken;
        _unreadToken = _unread.Token;
        _unreadOrCancelled = CancellationTokenSource.CreateLinkedTokenSource(callbackToken, _unreadToken);
        _unreadOrCancelledToken = _unreadOrCancelled.Token; // Taken now, for a write that comes after the end.
    }

    /// <summary>Whether all that the handler will ever send has been read, and nothing that was to be written is cut.</summary>
    public bool HandlerHasEnded
    {
        get
        {
            try
            {
                if (_isCut || !Inner.Input.TryRead(out var read))
                {
                    return false;
                }

                Inner.Input.AdvanceTo(read.Buffer.Start);
                return read is { IsCompleted: true, Buffer.IsEmpty: true };
            }
            catch (YamuxException)
            {
                return false;
            }
        }
    }

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
        cancellationToken.ThrowIfCancellationRequested();
        BeginWrite();
        try
        {
            if (Volatile.Read(ref _callEnded))
            {
                throw CallEnded();
            }

            if (_completed)
            {
                throw new InvalidOperationException("The writes of this sidechannel are completed; nothing can be written to it.");
            }

            while (!buffer.IsEmpty)
            {
                var bytes = buffer[..Math.Min(buffer.Length, PacketSequence.MaxBytes)];
                await WriteThroughAsync(_packets.Wrap(bytes), cancellationToken).ConfigureAwait(false);
                buffer = buffer[bytes.Length..];
            }
        }
        finally
        {
            Volatile.Write(ref _writing, false);
        }
    }

    public override async ValueTask CompleteWritesAsync(CancellationToken cancellationToken = default)
    {
        BeginWrite();
        try
        {
            if (_isCut)
            {
                // Whether the call has ended by now or not. It fails, with what the stream failed with.
                await Inner.WriteAsync(PacketHeader.End.ToArray(), CancellationToken.None).ConfigureAwait(false);
            }

            // Once the call has ended there is nobody who waits for the end.
            if (!_completed && !Volatile.Read(ref _callEnded))
            {
                await WriteThroughAsync(new ReadOnlySequence<byte>(PacketHeader.End.ToArray()), cancellationToken).ConfigureAwait(false);
                _completed = true;
            }
        }
        catch (SidechannelException ended) when (ended.ErrorCode == SidechannelErrorCode.CallEnded)
        {
        }
        finally
        {
            Volatile.Write(ref _writing, false);
        }
    }

    /// <summary>The call has ended, so that its handler reads no more: a write would wait for credit that nobody gives. What it has sent can be read.</summary>
    public void OnCallEnded()
    {
        _failedBefore = Inner.WritesClosed.IsFaulted;
        Volatile.Write(ref _callEnded, true);
        _unread.Cancel();
    }

    /// <summary>The callback has ended.</summary>
    public void LetGo()
    {
        _unreadOrCancelled.Dispose();
        _unread.Dispose();
    }

    private void BeginWrite()
    {
        if (Interlocked.Exchange(ref _writing, true))
        {
            throw new InvalidOperationException("The sidechannel is being written to by another caller; it takes one at a time.");
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteThroughAsync(ReadOnlySequence<byte> packets, CancellationToken cancellationToken)
    {
        // The callback's own token, and none, need no source for each write.
        using var linked = cancellationToken.CanBeCanceled && cancellationToken != _callbackToken
            ? CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _unreadToken)
            : null;
        var token = linked?.Token ?? (cancellationToken.CanBeCanceled ? _unreadOrCancelledToken : _unreadToken);
        try
        {
            await Inner.WriteAsync(packets, token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (Volatile.Read(ref _callEnded) && !cancellationToken.IsCancellationRequested)
        {
            if (_failedBefore)
            {
                await Inner.WritesClosed.ConfigureAwait(false); // The write had not heard of it yet.
            }

            throw CallEnded();
        }
        catch (OperationCanceledException cancellation)
        {
            // Nobody can tell where the next packet begins.
            _isCut = true;
            Inner.Abort(cancellation);
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
    }

    private static SidechannelException CallEnded()
        => new(SidechannelErrorCode.CallEnded, "The call of this sidechannel has ended, and nobody reads what is written to it.");
}
