using System.Buffers;
using Yamux.Internal;
using Yamux.Protocol;

namespace Yamux;

/// <content>
/// The read loop: it parses, and hands each frame to its stream. It never waits for a stream, for the writer or for the
/// user, and runs no code of theirs, so nothing that one of them does can stop the others.
/// </content>
public sealed partial class YamuxSession
{
    // A peer may provoke an answer with twelve bytes; they leave together, but not so many that the limit is reached by a
    // burst that the transport would have taken.
    private const int AnswersPerFlush = 256;

    private const int MaxIgnoredLogged = 16;

    // Everything below is the loop's own, but for the one that says otherwise.
    private readonly TaskCompletionSource _received = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<YamuxStream> _touched = [];
    private uint _payloadLeft;
    private YamuxStream? _payloadStream;
    private bool _finAfterPayload;
    private int _unflushedAnswers;
    private int _ignoredLogged; // Interlocked

    /// <summary>Reports something that a correct peer does not do and that is tolerated, a few times per session.</summary>
    internal void LogIgnored(uint streamId, string what)
    {
        if (TryCountLogLine())
        {
            YamuxLog.FrameIgnored(Logger, streamId, what);
        }
    }

    private async Task ReceiveAsync()
    {
        try
        {
            var completed = false;
            while (!completed)
            {
                var read = await _transport.Input.ReadAsync().ConfigureAwait(false);
                completed = read.IsCompleted;
                if (_ended)
                {
                    // Only waiting for the peer to close its side, or for our own patience to end.
                    completed |= read.IsCanceled;
                    _transport.Input.AdvanceTo(read.Buffer.End);
                }
                else
                {
                    Process(read.Buffer, read.IsCompleted);
                }
            }
        }
        catch (Exception error)
        {
            End(new YamuxException(YamuxErrorCode.ConnectionLost, $"The yamux connection was lost: {error.Message}", error), SessionEnding.Failed);
        }
        finally
        {
            _received.SetResult();
        }
    }

    private void Process(ReadOnlySequence<byte> buffer, bool isLast)
    {
        var rest = buffer;
        try
        {
            Timer.OnReceived();
            ProcessFrames(ref rest);
        }
        catch (YamuxException error)
        {
            End(error, error.ErrorCode == YamuxErrorCode.ProtocolError ? SessionEnding.ProtocolError : SessionEnding.Failed);
            return;
        }
        catch (Exception error)
        {
            End(new YamuxException(YamuxErrorCode.InternalError, $"The yamux session failed: {error.Message}", error), SessionEnding.InternalError);
            YamuxLog.InternalError(Logger, error);
            return;
        }
        finally
        {
            // Also after an error: what came before it was right, and readers get it.
            _transport.Input.AdvanceTo(rest.Start, buffer.End);
            FlushTouched();
        }

        if (isLast)
        {
            OnEndOfInput(rest.Length);
        }
    }

    private void OnEndOfInput(long rest)
    {
        if (rest > 0 || _payloadLeft > 0)
        {
            var what = rest > 0 ? $"after {rest} of a header's {FrameHeader.Size} bytes" : $"{_payloadLeft} bytes before the end of a payload";
            End(new YamuxException(YamuxErrorCode.ConnectionLost, $"The peer closed the connection in the middle of a frame: {what}."), SessionEnding.Failed);
        }
        else if (_writeFailure is { } failure && !_remoteGoAway)
        {
            End(failure, SessionEnding.Failed);
        }
        else
        {
            End(new YamuxException(YamuxErrorCode.ConnectionLost, "The peer closed the yamux connection."), SessionEnding.ClosedByPeer);
        }
    }

    private void ProcessFrames(ref ReadOnlySequence<byte> rest)
    {
        Span<byte> scratch = stackalloc byte[FrameHeader.Size];
        while (true)
        {
            if (_payloadLeft > 0)
            {
                if (rest.IsEmpty)
                {
                    return;
                }

                ProcessPayload(ref rest);
                continue;
            }

            if (rest.Length < FrameHeader.Size)
            {
                return;
            }

            FrameHeader header;
            if (rest.FirstSpan.Length >= FrameHeader.Size)
            {
                header = FrameHeader.Read(rest.FirstSpan);
            }
            else
            {
                rest.Slice(0, FrameHeader.Size).CopyTo(scratch);
                header = FrameHeader.Read(scratch);
            }

            rest = rest.Slice(FrameHeader.Size);
            ProcessHeader(header);
        }
    }

    private void ProcessPayload(ref ReadOnlySequence<byte> rest)
    {
        var piece = rest.Slice(0, Math.Min(rest.Length, _payloadLeft));
        if (_payloadStream is { } stream && stream.OnPayload(piece))
        {
            _touched.Add(stream);
        }

        rest = rest.Slice(piece.End);
        _payloadLeft -= (uint)piece.Length;
        if (_payloadLeft == 0)
        {
            if (_finAfterPayload)
            {
                _payloadStream?.OnFinAfterPayload();
            }

            _payloadStream = null;
        }
    }

    private void ProcessHeader(FrameHeader header)
    {
        if (header.Type is FrameType.Ping or FrameType.GoAway)
        {
            if (header.StreamId != 0)
            {
                throw YamuxException.Protocol($"a {header.Type} frame came on stream {header.StreamId}; it belongs to the session, which is 0");
            }

            if (header.Type == FrameType.Ping)
            {
                OnPing(header);
            }
            else
            {
                OnGoAway(header);
            }

            return;
        }

        if (header.StreamId == 0)
        {
            throw YamuxException.Protocol($"a {header.Type} frame came on stream 0, which is the session");
        }

        OnStreamFrame(header);
    }

    private void OnPing(FrameHeader header)
    {
        var request = header.Has(FrameFlags.Syn);
        var answer = header.Has(FrameFlags.Ack);
        if (request && !answer)
        {
            Answer(new FrameHeader(FrameType.Ping, FrameFlags.Ack, 0, header.Length));
        }
        else if (answer && !request)
        {
            _pings.Complete(header.Length);
        }
        else
        {
            LogIgnored(0, "a ping that is not either a request or an answer");
        }
    }

    private void OnGoAway(FrameHeader header)
    {
        switch ((GoAwayCode)header.Length)
        {
            case GoAwayCode.Normal:
                _remoteGoAway = true;
                CancelOpens();
                break;
            case GoAwayCode.ProtocolError:
                throw new YamuxException(YamuxErrorCode.RemoteProtocolError, "The yamux peer ended the session: it says that this end broke the protocol (GoAway 1).");
            case GoAwayCode.InternalError:
                throw new YamuxException(YamuxErrorCode.RemoteInternalError, "The yamux peer ended the session: it says that it failed (GoAway 2).");
            default:
                throw new YamuxException(YamuxErrorCode.RemoteInternalError, $"The yamux peer ended the session with GoAway {header.Length}; codes are 0 to 2.");
        }
    }

    private void Answer(FrameHeader answer)
    {
        if (!Writer.TryAppendAnswer(answer))
        {
            throw YamuxException.Protocol(
                $"{Options.MaxQueuedAnswers} answers to the peer wait to be sent, because it asks and does not read");
        }

        if (++_unflushedAnswers >= Math.Min(AnswersPerFlush, Options.MaxQueuedAnswers))
        {
            _unflushedAnswers = 0;
            Writer.Flush();
        }
    }

    private void FlushTouched()
    {
        foreach (var stream in _touched)
        {
            stream.FlushInput();
        }

        _touched.Clear();
        _unflushedAnswers = 0;
        Writer.Flush();
    }

    /// <summary>Whether one more line may be logged about what the peer does. It could provoke any number of them.</summary>
    internal bool TryCountLogLine()
    {
        if (Volatile.Read(ref _ignoredLogged) >= MaxIgnoredLogged)
        {
            return false;
        }

        var count = Interlocked.Increment(ref _ignoredLogged);
        if (count == MaxIgnoredLogged)
        {
            YamuxLog.LogLimitReached(Logger);
        }

        return count < MaxIgnoredLogged;
    }
}
