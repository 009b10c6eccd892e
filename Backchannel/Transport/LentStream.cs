using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Yamux;

namespace Backchannel;

/// <summary>
/// A stream of a session, as the connection that an HTTP handler believes it has. To have the handler let go of it when its requests have ended, a
/// GOAWAY is put between two of the frames that it reads, as if the server had sent it. A GOAWAY of the peer's comes through as one that leaves no request out, and RST_STREAM for
/// each that it does leave out: SocketsHttpHandler takes a GOAWAY that leaves out a request whose body it still sends for a fault, and a second one too.
/// </summary>
internal sealed class LentStream(LentStreams owner, YamuxStream stream, TimeProvider timeProvider) : UnseekableStream
{
    private readonly Stream _inner = stream.AsStream();
    private readonly WrittenRequests _requests = new(timeProvider);
    private FrameCursor _cursor;
    private ReadOnlyMemory<byte> _ours;
    private int _skip; // Of a GOAWAY of the peer's.
    private bool _mayHearGoAway; // Its first request is written.
    private bool _hasHeardGoAway; // The handler, ours or the peer's.
    private bool _hasWaited; // For the handler to give it back.
    private bool _answered;
    private int _askedBack;
    private int _disposed;

    /// <summary>Whether <see cref="RequestClose"/> was called.</summary>
    public bool IsAskedBack => Volatile.Read(ref _askedBack) != 0;

    /// <summary>Whether the peer has answered here, and <see cref="RequestClose"/> was not called.</summary>
    public bool IsInUse => Volatile.Read(ref _answered) && !IsAskedBack;

    private bool IsGoAwayDue => IsAskedBack && !_hasHeardGoAway && _cursor.IsAtFrame;

    /// <summary>Has the handler send no further requests here, and dispose of this when those that run have ended.</summary>
    public void RequestClose()
    {
        if (Interlocked.Exchange(ref _askedBack, 1) == 0)
        {
            stream.Input.CancelPendingRead();
            _requests.ExpectNoOther(); // Nor does the reader of a stream that has failed wait for one.
        }
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty || IsAskedBack || _hasHeardGoAway || !_answered || !_ours.IsEmpty)
        {
            return ReadSlowAsync(buffer, cancellationToken);
        }

        var read = stream.Input.ReadAsync(cancellationToken);
        if (!read.IsCompletedSuccessfully)
        {
            return AwaitAsync(read, buffer, cancellationToken);
        }

        return TryTake(read.Result, buffer.Span) is { } count ? new ValueTask<int>(count) : ReadSlowAsync(buffer, cancellationToken);
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
        return TryTake(await read.ConfigureAwait(false), buffer.Span) is { } count ? count : await ReadSlowAsync(buffer, cancellationToken).ConfigureAwait(false);
    }

    // Null: something comes before it, or has to be looked at.
    private int? TryTake(in ReadResult read, Span<byte> buffer)
    {
        if (read.IsCanceled)
        {
            stream.Input.AdvanceTo(read.Buffer.Start);
            return null;
        }

        var count = Take(read.Buffer, buffer, oneFrame: false);
        return count == 0 && !read.Buffer.IsEmpty ? null : count;
    }

    // The first read, reads from GOAWAY on, of a header that comes in pieces, and those of an empty buffer, which wait for bytes.
    private async ValueTask<int> ReadSlowAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (IsGoAwayDue && _ours.IsEmpty && !_requests.AreRefused)
            {
                await TellGoAwayAsync(cancellationToken).ConfigureAwait(false);
            }

            if (_ours.IsEmpty && _cursor.IsAtFrame && _requests.TakeLeftOut() is { Length: > 0 } leftOut)
            {
                _ours = Http2ServerFrames.Refused(leftOut);
            }

            if (!_ours.IsEmpty)
            {
                return TakeOurs(buffer.Span); // 0 if somebody asks whether there is something.
            }

            if (_requests.AreRefused)
            {
                if (!await _requests.WaitForLeftOutAsync(cancellationToken).ConfigureAwait(false))
                {
                    return 0;
                }

                continue;
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
        await WaitForFirstRequestAsync(cancellationToken).ConfigureAwait(false);
        _ours = _answered ? Http2ServerFrames.GoAwayOfAll : [.. Http2ServerFrames.Settings, .. Http2ServerFrames.GoAwayOfAll];
        _hasHeardGoAway = true;
    }

    private async ValueTask WaitForFirstRequestAsync(CancellationToken cancellationToken)
    {
        await _requests.WaitForFirstAsync(cancellationToken).ConfigureAwait(false);
        _mayHearGoAway = true;
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
        if (read.IsCanceled || IsGoAwayDue)
        {
            stream.Input.AdvanceTo(read.Buffer.Start);
            return null;
        }

        if (_skip > 0 && !read.Buffer.IsEmpty)
        {
            Skip(read.Buffer);
            return null;
        }

        if (_hasHeardGoAway && !_hasWaited && read.IsCompleted && read.Buffer.IsEmpty && _cursor.IsAtFrame)
        {
            stream.Input.AdvanceTo(read.Buffer.Start);
            if (await _requests.WaitForLeftOutAsync(cancellationToken).ConfigureAwait(false))
            {
                return null;
            }

            _hasWaited = true;
            return 0;
        }

        if (BeginsWithGoAway(read.Buffer))
        {
            if (!_mayHearGoAway)
            {
                owner.OnGoAway();
                stream.Input.AdvanceTo(read.Buffer.Start);
                await WaitForFirstRequestAsync(cancellationToken).ConfigureAwait(false);
                return null;
            }

            if (!_answered)
            {
                // So Kestrel does on a connection that comes when it is about to close. The handler would take it for a fault, and not try elsewhere.
                stream.Input.AdvanceTo(read.Buffer.Start);
                SetAnswered();
                _ours = Http2ServerFrames.Settings;
                return null;
            }

            if (!TryPassGoAway(read))
            {
                return null;
            }
        }

        var count = Take(read.Buffer, buffer.Span, oneFrame: true);
        if (count > 0)
        {
            SetAnswered(); // Not when somebody asks whether there is something: SETTINGS must be the first that is read.
        }

        return count;
    }

    // Null: the peer has ended the connection without a word, and the handler's requests get an answer of ours.
    private async ValueTask<ReadResult?> ReadInputAsync(CancellationToken cancellationToken)
    {
        YamuxException? end = null;
        try
        {
            // Between frames all of the next one's header must be there, to know a GOAWAY.
            var isWithin = _skip > 0 || !_cursor.IsAtFrame;
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

        _ours = await _requests.RefuseAsync(owner.Unanswered(end), WasNeverServed(end), cancellationToken).ConfigureAwait(false);
        return null;
    }

    // The peer has not taken the stream, and will not any more: it has refused it, or has left in good order, and all that it has acknowledged before has come. On a connection that breaks an acknowledgement
    // may have been lost.
    private bool WasNeverServed(YamuxException? end)
        => !stream.Acknowledged.IsCompletedSuccessfully
            && (end is { ErrorCode: YamuxErrorCode.StreamReset }
                || (stream.Session.GoAwayReceived.IsCancellationRequested && end is null or { ErrorCode: YamuxErrorCode.ConnectionLost or YamuxErrorCode.SessionClosed, InnerException: null }));

    private bool BeginsWithGoAway(in ReadOnlySequence<byte> buffer)
        => _cursor.IsAtFrame && buffer.Length >= Http2FrameHeader.Size && Http2FrameHeader.Read(buffer).Type == Http2FrameType.GoAway;

    private void SetAnswered()
    {
        if (!_answered)
        {
            _answered = true;
            _requests.OnAnswered();
        }
    }

    // Whether it is for the handler as it is: an error, if it is the first. Else it is skipped, and what it says of requests is told of each.
    // At a second one, while its own PING is open, SocketsHttpHandler takes the answer to that for a fault, and ends all that runs.
    private bool TryPassGoAway(in ReadResult read)
    {
        var length = Http2FrameHeader.Read(read.Buffer).Length;
        if (read.Buffer.Length < Http2FrameHeader.Size + Math.Min(length, 2 * sizeof(int)) && !read.IsCompleted)
        {
            stream.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End); // The rest of it.
            return false;
        }

        var (lastStream, errorCode) = Http2ServerFrames.ReadGoAway(read.Buffer);
        owner.OnGoAway();
        var isFirst = !_hasHeardGoAway;
        _hasHeardGoAway = true;
        if (isFirst && errorCode != Http2ServerFrames.NoError)
        {
            return true;
        }

        if (isFirst)
        {
            _ours = Http2ServerFrames.GoAwayOfAll;
        }

        _requests.LeaveOut(lastStream);
        _skip = Http2FrameHeader.Size + length;
        Skip(read.Buffer);
        return false;
    }

    private void Skip(in ReadOnlySequence<byte> buffer)
    {
        var count = (int)Math.Min(_skip, buffer.Length);
        _skip -= count;
        stream.Input.AdvanceTo(buffer.GetPosition(count));
    }

    private int Take(ReadOnlySequence<byte> source, Span<byte> destination, bool oneFrame)
    {
        var total = 0;
        foreach (var piece in source)
        {
            if (oneFrame && total > 0 && _cursor.IsAtFrame)
            {
                break;
            }

            var bytes = piece.Span[..Math.Min(piece.Length, destination.Length - total)];
            var count = _cursor.Advance(bytes, oneFrame);
            bytes[..count].CopyTo(destination[total..]);
            total += count;
            if (count < piece.Length)
            {
                break;
            }
        }

        stream.Input.AdvanceTo(source.GetPosition(total));
        return total;
    }
}
