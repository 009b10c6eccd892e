using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Yamux;

namespace Backchannel;

/// <summary>
/// A stream of a session, as the connection that an HTTP handler believes it has. To have the handler let go of it when its requests have ended, a
/// GOAWAY is put between two of the frames that it reads, as if the server had sent it.
/// </summary>
internal sealed class LentStream(LentStreams owner, YamuxStream stream, TimeProvider timeProvider) : UnseekableStream
{
    private readonly Stream _inner = stream.AsStream();
    private readonly WrittenRequests _requests = new(timeProvider);
    private FrameCursor _cursor;
    private ReadOnlyMemory<byte> _ours;
    private int _skip; // Of a GOAWAY of the peer's.
    private volatile GoAwayState _goAway;
    private bool _answered;
    private int _disposed;

    // One of ours.
    private enum GoAwayState
    {
        NotWanted,
        Wanted,
        Told,
    }

    /// <summary>Whether <see cref="RequestClose"/> was called.</summary>
    public bool IsAskedBack => _goAway != GoAwayState.NotWanted;

    /// <summary>Whether the peer has answered here, and <see cref="RequestClose"/> was not called.</summary>
    public bool IsInUse => Volatile.Read(ref _answered) && !IsAskedBack;

    // Whether the next byte of the peer's begins a frame.
    private bool IsAtFrame => _cursor.IsBetweenFrames || !_answered;

    /// <summary>Has the handler send no further requests here, and dispose of this when those that run have ended.</summary>
    public void RequestClose()
    {
        if (Interlocked.CompareExchange(ref _goAway, GoAwayState.Wanted, GoAwayState.NotWanted) == GoAwayState.NotWanted)
        {
            stream.Input.CancelPendingRead();
            _requests.ExpectNoOther(); // Nor does the reader of a stream that has failed wait for one.
        }
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty || IsAskedBack || !_answered || !_ours.IsEmpty)
        {
            return ReadSlowAsync(buffer, cancellationToken);
        }

        var read = stream.Input.ReadAsync(cancellationToken);
        if (!read.IsCompletedSuccessfully)
        {
            return AwaitAsync(read, buffer, cancellationToken);
        }

        var result = read.Result;
        return result.IsCanceled
            ? ReadAgainAsync(result, buffer, cancellationToken)
            : new ValueTask<int>(Take(result.Buffer, buffer.Span, toBoundary: false));
    }

    public override int Read(byte[] buffer, int offset, int count)
        => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_requests.Add(buffer.Span))
        {
            stream.Input.CancelPendingRead(); // The peer has said already that it does not answer one of them.
        }

        return _requests.WriteAsync(_inner, buffer, cancellationToken);
    }

    public override void Write(byte[] buffer, int offset, int count)
        => WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override Task FlushAsync(CancellationToken cancellationToken) => _inner.FlushAsync(cancellationToken);

    public override void Flush() => _inner.Flush();

    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _requests.GiveBack();

            // Before its FIN: whoever has one more by then has opened it before, and the peer sees that one first.
            var hasEnded = owner.TakeBack(this);
            _inner.Dispose();
            if (hasEnded)
            {
                owner.OnEnded();
            }
        }

        base.Dispose(disposing);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> AwaitAsync(ValueTask<ReadResult> read, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var result = await read.ConfigureAwait(false);
        return result.IsCanceled
            ? await ReadAgainAsync(result, buffer, cancellationToken).ConfigureAwait(false)
            : Take(result.Buffer, buffer.Span, toBoundary: false);
    }

    private ValueTask<int> ReadAgainAsync(ReadResult cancelled, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        stream.Input.AdvanceTo(cancelled.Buffer.Start);
        return ReadSlowAsync(buffer, cancellationToken);
    }

    // The first read, reads while GOAWAY is to be told, and those of an empty buffer, which wait for bytes.
    private async ValueTask<int> ReadSlowAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_goAway == GoAwayState.Wanted && IsAtFrame && _ours.IsEmpty && !_requests.AreRefused)
            {
                await TellGoAwayAsync(cancellationToken).ConfigureAwait(false);
            }

            if (_ours.IsEmpty && IsAtFrame && _requests.TakeLeftOut() is { Length: > 0 } leftOut)
            {
                _ours = Http2ServerFrames.Refused(leftOut);
            }

            if (!_ours.IsEmpty)
            {
                return TakeOurs(buffer.Span); // 0 if somebody asks whether there is something.
            }

            if (_requests.AreRefused)
            {
                await _requests.WaitUntilGivenBackAsync(cancellationToken).ConfigureAwait(false);
                return 0;
            }

            if (await ReadInputAsync(cancellationToken).ConfigureAwait(false) is { } result
                && await TryTakeAsync(result, buffer, cancellationToken).ConfigureAwait(false) is { } count)
            {
                return count;
            }
        }
    }

    private async ValueTask TellGoAwayAsync(CancellationToken cancellationToken)
    {
        await _requests.WaitForFirstAsync(cancellationToken).ConfigureAwait(false);
        if (!_cursor.HasSeenGoAway)
        {
            var goAway = Http2ServerFrames.GoAway(Http2ServerFrames.LastStream);
            _ours = _answered ? goAway : [.. Http2ServerFrames.Settings, .. goAway];
        }

        _goAway = GoAwayState.Told;
    }

    private int TakeOurs(Span<byte> buffer)
    {
        var count = Math.Min(_ours.Length, buffer.Length);
        _ours.Span[..count].CopyTo(buffer);
        _ours = _ours[count..];
        return count;
    }

    // Null: there was nothing in it for the handler, or something comes before it.
    private async ValueTask<int?> TryTakeAsync(ReadResult read, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var goAway = _goAway;
        if (read.IsCanceled || (goAway == GoAwayState.Wanted && _cursor.IsBetweenFrames))
        {
            stream.Input.AdvanceTo(read.Buffer.Start);
            return null;
        }

        var hasEnded = read.IsCompleted && read.Buffer.IsEmpty;
        if (!hasEnded && (_skip > 0 || (goAway == GoAwayState.Told && BeginsWithGoAway(read.Buffer))))
        {
            Skip(read.Buffer, read.IsCompleted);
            return null;
        }

        if (!_answered && BeginsWithGoAway(read.Buffer))
        {
            // So Kestrel does on a connection that comes when it is about to close. The handler would take it for a fault, and not try elsewhere.
            owner.OnGoAway();
            stream.Input.AdvanceTo(read.Buffer.Start);
            await _requests.WaitForFirstAsync(cancellationToken).ConfigureAwait(false);
            SetAnswered();
            _ours = Http2ServerFrames.Settings;
            return null;
        }

        SetAnswered();
        return Take(read.Buffer, buffer.Span, toBoundary: goAway != GoAwayState.NotWanted);
    }

    // Null: the peer has ended the connection without a word, and the handler's requests get an answer of ours.
    private async ValueTask<ReadResult?> ReadInputAsync(CancellationToken cancellationToken)
    {
        YamuxException? end = null;
        try
        {
            // Between frames all of the next one's header must be there, to know a GOAWAY.
            var isWithin = _skip > 0 || (_answered && (!_cursor.IsBetweenFrames || !IsAskedBack));
            var result = await stream.Input.ReadAtLeastAsync(isWithin ? 1 : Http2FrameHeader.Size, cancellationToken).ConfigureAwait(false);
            if (_answered || !result.IsCompleted || result.IsCanceled || !result.Buffer.IsEmpty)
            {
                return result;
            }

            stream.Input.AdvanceTo(result.Buffer.End);
        }
        catch (YamuxException failure) when (!_answered && WrittenRequests.IsEndedByPeer(failure))
        {
            end = failure;
            if (failure.ErrorCode == YamuxErrorCode.StreamReset)
            {
                owner.OnRefused(this);
            }
        }

        _ours = await _requests.RefuseAsync(owner.Unanswered(end), cancellationToken).ConfigureAwait(false);
        return null;
    }

    private bool BeginsWithGoAway(in ReadOnlySequence<byte> buffer)
        => IsAtFrame && buffer.Length >= Http2FrameHeader.Size && Http2FrameHeader.Read(buffer).Type == Http2FrameType.GoAway;

    private void SetAnswered()
    {
        if (!_answered)
        {
            _answered = true;
            _requests.OnAnswered();
        }
    }

    // The handler has had a GOAWAY, ours or the peer's. At a second one, while its own PING is open, SocketsHttpHandler takes the answer to that for a fault, and ends all that runs.
    // What a second one says besides, that some requests will not be answered, is told of each of them.
    private void Skip(in ReadOnlySequence<byte> buffer, bool isCompleted)
    {
        if (_skip == 0)
        {
            var length = Http2FrameHeader.Read(buffer).Length;
            if (buffer.Length < Http2FrameHeader.Size + Math.Min(length, sizeof(int)) && !isCompleted)
            {
                stream.Input.AdvanceTo(buffer.Start, buffer.End); // The rest of it.
                return;
            }

            _skip = Http2FrameHeader.Size + length;
            _requests.LeaveOut(LastStreamOfGoAway(buffer));
            owner.OnGoAway();
        }

        var count = (int)Math.Min(_skip, buffer.Length);
        _skip -= count;
        stream.Input.AdvanceTo(buffer.GetPosition(count));
    }

    private static int LastStreamOfGoAway(in ReadOnlySequence<byte> buffer)
    {
        var reader = new SequenceReader<byte>(buffer);
        reader.Advance(Http2FrameHeader.Size);
        return reader.TryReadBigEndian(out int last) ? last & int.MaxValue : Http2ServerFrames.LastStream;
    }

    private int Take(ReadOnlySequence<byte> source, Span<byte> destination, bool toBoundary)
    {
        var total = 0;
        var hadSeenGoAway = _cursor.HasSeenGoAway;
        foreach (var piece in source)
        {
            if (toBoundary && total > 0 && _cursor.IsBetweenFrames)
            {
                break;
            }

            var bytes = piece.Span[..Math.Min(piece.Length, destination.Length - total)];
            var count = _cursor.Advance(bytes, toBoundary);
            bytes[..count].CopyTo(destination[total..]);
            total += count;
            if (count < piece.Length)
            {
                break;
            }
        }

        stream.Input.AdvanceTo(source.GetPosition(total));
        if (_cursor.HasSeenGoAway && !hadSeenGoAway)
        {
            owner.OnGoAway();
        }

        return total;
    }
}
