using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Yamux.Internal;
using Yamux.Protocol;

namespace Yamux;

/// <content>
/// The read loop: it parses, and hands each frame to its stream. It never waits for a stream, for the writer or for the
/// user, so nothing that one of them does can stop the others. Code of theirs runs on its thread only when the loop itself has left it.
/// </content>
public sealed partial class YamuxSession
{
    private const int MaxIgnoredLogged = 16;

    // Everything below is the loop's own, but for the one that says otherwise.
    private readonly TaskCompletionSource _received = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly byte[] _header = new byte[FrameHeader.Size];
    private readonly Action _onRead;
    private readonly WakeUps _wakeUps;
    private ConfiguredValueTaskAwaitable<ReadResult>.ConfiguredValueTaskAwaiter _read;
    private long _bytesReceived;
    private int _headerLength;
    private uint _payloadLeft;
    private YamuxStream? _payloadStream;
    private bool _finAfterPayload;
    private long _answersSeen;
    private bool _discards; // What comes makes no sense any more.
    private int _ignoredLogged; // Interlocked

    /// <summary>Reports something that a correct peer does not do and that is tolerated, a few times per session.</summary>
    internal void LogIgnored(uint streamId, string what)
    {
        if (TryCountLogLine())
        {
            YamuxLog.FrameIgnored(Logger, streamId, what);
        }
    }

    // Runs until the transport has nothing more to read at once.
    private void Receive()
    {
        do
        {
            // With the answer to its last ping this end needs nothing more, and nothing more may come: a transport that ends its sending side between two reads does it now.
            if (_confirmed.Task.IsCompleted && !_shutTried.Task.IsCompleted)
            {
                _wakeUps.QueueLast();
                _shutTried.Task.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(Receive);
                return;
            }

            try
            {
#pragma warning disable CA2012 // The awaiter is kept, and asked for its result once, so that nothing is allocated to wait.
                _read = _transport.Input.ReadAsync().ConfigureAwait(false).GetAwaiter();
#pragma warning restore CA2012
            }
            catch (Exception error)
            {
                OnReceiveFailed(error);
                break;
            }

            if (!_read.IsCompleted)
            {
                var last = _wakeUps.TakeLast();
                _read.UnsafeOnCompleted(_onRead);
                WakeUps.LendThread(last); // From here on another thread may be the loop, and this one is free.
                return;
            }

            _wakeUps.OnReadOn();
        }
        while (TryProcess());

        Finish();
    }

    private void OnRead()
    {
        if (TryProcess())
        {
            Receive();
        }
        else
        {
            Finish();
        }
    }

    private void Finish()
    {
        _wakeUps.QueueLast();
        _received.SetResult();
    }

    // False: nothing more will come.
    private bool TryProcess()
    {
        try
        {
            var read = _read.GetResult();
            if (_discards || _end is { LastWord: not GoAwayCode.Normal })
            {
                // Only waiting for the peer to close its side, or for our own patience to end.
                _transport.Input.AdvanceTo(read.Buffer.End);
            }
            else
            {
                Process(read.Buffer, read.IsCompleted);
            }

            return !read.IsCompleted && !(read.IsCanceled && _end is not null);
        }
        catch (Exception error)
        {
            OnReceiveFailed(error);
            return false;
        }
    }

    private void OnReceiveFailed(Exception error)
    {
        // It has said that it leaves, and nothing is lost: a peer that closes its socket before it has read the last that we sent resets it.
        if (_remoteGoAway && _streams.IsEmpty && End(SessionEnd.ClosedByPeer(awaitsRest: false)))
        {
            return;
        }

        TryFail(YamuxException.Lost(error));
    }

    private void Process(in ReadOnlySequence<byte> buffer, bool isLast)
    {
        try
        {
            if (!buffer.IsEmpty)
            {
                Timer.OnReceived();
                Volatile.Write(ref _bytesReceived, _bytesReceived + buffer.Length);
                Metrics.OnReceived(buffer.Length);
            }

            foreach (var piece in buffer)
            {
                ProcessBytes(piece.Span);
            }
        }
        catch (Exception error)
        {
            _discards = true;
            if (error is not YamuxException failure)
            {
                failure = new YamuxException(YamuxErrorCode.InternalError, $"The yamux session failed: {error.Message}", error);
                YamuxLog.InternalError(Logger, error);
            }

            if (!TryFail(failure))
            {
                CloseNow(); // Such a peer confirms nothing.
            }

            return;
        }
        finally
        {
            // Also after an error: what came before it was right, and readers get it.
            _transport.Input.AdvanceTo(buffer.End);
            _wakeUps.OnProcessed();
        }

        if (isLast)
        {
            OnEndOfInput();
        }
    }

    private void OnEndOfInput()
    {
        if (_headerLength > 0 || _payloadLeft > 0)
        {
            var what = _headerLength > 0 ? $"after {_headerLength} of a header's {FrameHeader.Size} bytes" : $"{_payloadLeft} bytes before the end of a payload";
            var cut = new YamuxException(YamuxErrorCode.ConnectionLost, $"The peer closed the connection in the middle of a frame: {what}.")
            {
                ReceivedVersion = _headerLength > 0 && _header[0] != FrameHeader.Version ? _header[0] : null,
            };
            TryFail(cut);
        }
        else if (!_remoteGoAway && Volatile.Read(ref _writeFailure) is { } failure)
        {
            TryFail(failure);
        }
        else if (!_remoteGoAway && _transport.WasReset)
        {
            TryFail(YamuxException.Lost("it was reset by the peer."));
        }
        else
        {
            End(SessionEnd.ClosedByPeer(awaitsRest: _remoteGoAway || Volatile.Read(ref _localGoAway)));
        }
    }

    private void ProcessBytes(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_payloadLeft > 0)
            {
                var count = (int)Math.Min((uint)bytes.Length, _payloadLeft);
                ProcessPayload(bytes[..count]);
                bytes = bytes[count..];
            }
            else if (_headerLength == 0 && bytes.Length >= FrameHeader.Size)
            {
                ProcessHeader(FrameHeader.Read(bytes));
                bytes = bytes[FrameHeader.Size..];
            }
            else
            {
                var count = Math.Min(bytes.Length, FrameHeader.Size - _headerLength);
                bytes[..count].CopyTo(_header.AsSpan(_headerLength));
                bytes = bytes[count..];
                _headerLength += count;
                if (_headerLength == FrameHeader.Size)
                {
                    _headerLength = 0;
                    ProcessHeader(FrameHeader.Read(_header));
                }
            }
        }
    }

    private void ProcessPayload(ReadOnlySpan<byte> piece)
    {
        if (_payloadStream is { } stream)
        {
            if (stream.OnPayload(piece, (int)Math.Min(_payloadLeft, int.MaxValue)))
            {
                _wakeUps.Touch(stream);
            }
            else
            {
                _wakeUps.WantFlush(); // It was dropped, and may have become credit.
            }
        }

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
            if (header.Length != PendingPings.NoValue && header.Length == _closingPing)
            {
                _confirmed.TrySetResult();
            }

            // No more than were asked for: answers keep a session that closes waiting for more.
            if (_answersSeen < Writer.PingsSent)
            {
                _answersSeen++;
                Timer.OnAnswered();
            }

            _pings.Complete(header.Length)?.OnArrived();
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
                if (!_remoteGoAway)
                {
                    _remoteGoAway = true;
                    CancelOpens();
                    _ = _goAwayReceived.CancelAsync(error => YamuxLog.GoAwayCallbackFailed(Logger, error));
                }

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

        _wakeUps.OnAnswer();
    }

    /// <summary>For the loop alone: what was appended leaves when all that was read has been looked at.</summary>
    internal void FlushAfterRead() => _wakeUps.WantFlush();

    /// <summary>For the loop alone: asks the peer whether it has all that the stream has sent. Its answer is <see cref="YamuxStream.OnArrived"/>.</summary>
    internal uint PingBehind(YamuxStream stream)
    {
        var value = _pings.Add(stream);
        Writer.AppendBehind(stream.Id, new FrameHeader(FrameType.Ping, FrameFlags.Syn, 0, value));
        FlushAfterRead();
        return value;
    }

    /// <summary>For the loop alone: a writer that waited for the credit which has come goes on.</summary>
    internal void Wake(IThreadPoolWorkItem writer) => _wakeUps.Add(writer);

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
