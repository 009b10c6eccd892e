using System.Buffers;
using Yamux;

namespace Backchannel;

/// <summary>
/// The requests of an HTTP client on a connection, found in what it writes. If the peer ends the connection without a word they are answered in its place: a connection
/// that ends before its first request is answered is to gRPC a fault of the client's own, Internal, and does not tell why. Thread safe.
/// </summary>
internal sealed class WrittenRequests(TimeProvider timeProvider)
{
    private const int PrefaceSize = 24;

    // More than are open at once.
    private const int MostLeftOut = 10_000;

    // It is written as soon as the client's threads get to it.
    private static readonly TimeSpan FirstRequestLimit = TimeSpan.FromSeconds(1);

    // As above, and what a peer that broke its word has its requests wait for.
    private static readonly TimeSpan GiveBackLimit = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _anyWritten = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _noOther = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _givenBack = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<int> _streams = []; // As long as the peer has not answered.
    private readonly List<int> _leftOut = [];
    private TaskCompletionSource? _anyLeftOut;
    private readonly byte[] _header = new byte[Http2FrameHeader.Size];
    private int _headerRead;
    private int _last;
    private int _lastAnswered = int.MaxValue;
    private bool _isAnswered;
    private long _left = PrefaceSize; // Of what is stepped over: the preface, and what frames carry.

    /// <summary>Whether the first has been written.</summary>
    public bool AnyWritten => _anyWritten.Task.IsCompleted;

    /// <summary>Whether they have been answered in the peer's place.</summary>
    public bool AreRefused { get; private set; }

    /// <summary>Whether a failure means that the peer has ended the connection, or this end has since the peer says nothing.</summary>
    public static bool IsEndedByPeer(YamuxException failure)
        => failure.ErrorCode is YamuxErrorCode.ProtocolError or YamuxErrorCode.ConnectionLost or YamuxErrorCode.StreamReset
                or YamuxErrorCode.KeepAliveTimeout or YamuxErrorCode.StreamOpenTimeout or YamuxErrorCode.ConnectionWriteTimeout
            || failure is { ErrorCode: YamuxErrorCode.SessionClosed, InnerException: IOException };

    /// <summary>
    /// Waits for the request for which the connection was made. A client that hears before it that the server leaves takes that for a handshake that failed. It may never come: the call was
    /// cancelled.
    /// </summary>
    public async ValueTask WaitForFirstAsync(CancellationToken cancellationToken)
    {
        Task first = Task.WhenAny(_anyWritten.Task, _givenBack.Task);
        await first.WaitAsync(FirstRequestLimit, timeProvider, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>The peer has answered: from here on it answers each, or says that it does not.</summary>
    public void OnAnswered()
    {
        lock (_gate)
        {
            _isAnswered = true;
            _streams.Clear();
        }
    }

    /// <summary>The peer has said that it answers none beyond this one. What it leaves out, now or when it is written, <see cref="TakeLeftOut"/> tells.</summary>
    public void LeaveOut(int lastAnswered)
    {
        lock (_gate)
        {
            var limit = Math.Min(_lastAnswered, lastAnswered);
            var last = Math.Min(_last, _lastAnswered); // Those behind it have been told.
            for (var request = Math.Max((long)limit + 1, last - (2L * MostLeftOut)) | 1; request <= last; request += 2)
            {
                _leftOut.Add((int)request);
            }

            _lastAnswered = limit;
        }
    }

    /// <summary>Those that the peer leaves out, once.</summary>
    public int[] TakeLeftOut()
    {
        lock (_gate)
        {
            int[] leftOut = [.. _leftOut];
            _leftOut.Clear();
            return leftOut;
        }
    }

    /// <summary>Notes what begins requests in what is about to be written.</summary>
    /// <returns>Whether there is one that the peer has left out.</returns>
    public bool Add(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            AddUnsynchronized(bytes);
            return _leftOut.Count > 0;
        }
    }

    /// <summary>Writes what <see cref="Add"/> was told of. That the peer has ended the connection is left to the reader to tell: before the end there may be a GOAWAY, by which the client knows what it can do elsewhere.</summary>
    public ValueTask WriteAsync(Stream connection, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var write = connection.WriteAsync(bytes, cancellationToken);
        return write.IsCompletedSuccessfully && AnyWritten ? write : WriteSlowAsync(write);
    }

    private async ValueTask WriteSlowAsync(ValueTask write)
    {
        try
        {
            await write.ConfigureAwait(false);
        }
        catch (YamuxException failure) when (IsEndedByPeer(failure))
        {
        }
        finally
        {
            if (Volatile.Read(ref _last) > 0)
            {
                _anyWritten.TrySetResult();
            }
        }
    }

    /// <summary>The frames that answer them, as soon as there is one.</summary>
    /// <param name="reason">Why they are not answered by the peer.</param>
    /// <param name="wereNeverServed">Whether the peer has certainly seen none of them.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="NotDispatchedException">There will be none.</exception>
    public async ValueTask<byte[]> RefuseAsync(IOException reason, bool wereNeverServed, CancellationToken cancellationToken)
    {
        await Task.WhenAny(_anyWritten.Task, _noOther.Task).WaitAsync(cancellationToken).ConfigureAwait(false);
        await WaitForFirstAsync(cancellationToken).ConfigureAwait(false); // The one for which the connection was made may be on its way.
        if (TakeUnanswered() is not { Length: > 0 } streams)
        {
            throw new NotDispatchedException(reason.Message, reason.InnerException);
        }

        return Http2Refusal.Create(streams, reason.Message, wereNeverServed);
    }

    /// <summary>Waits for no request any more.</summary>
    public void ExpectNoOther() => _noOther.TrySetResult();

    /// <summary>The client gives the connection back.</summary>
    public void GiveBack()
    {
        ExpectNoOther();
        _givenBack.TrySetResult();
    }

    /// <summary>
    /// Until it is given back the client must not see that the connection has ended, once it has its answers and has heard GOAWAY: that would be a failure of what it has not done with
    /// yet, and of requests that it was about to make there. If the peer still owes it answers it will not give it back, and has to see it: after 5 s.
    /// </summary>
    /// <returns>False: it is given back, or will not be. True: it has written another request meanwhile, which is left out.</returns>
    public async ValueTask<bool> WaitForLeftOutAsync(CancellationToken cancellationToken)
    {
        Task left;
        lock (_gate)
        {
            if (_leftOut.Count > 0)
            {
                return true;
            }

            _anyLeftOut = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            left = _anyLeftOut.Task;
        }

        var limit = AreRefused ? Timeout.InfiniteTimeSpan : GiveBackLimit;
        Task any = Task.WhenAny(_givenBack.Task, left);
        await any.WaitAsync(limit, timeProvider, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        return left.IsCompleted;
    }

    // In the order in which they were opened. Those that come behind them are left out.
    private int[] TakeUnanswered()
    {
        lock (_gate)
        {
            if (_streams.Count > 0)
            {
                AreRefused = true;
                _lastAnswered = _last;
            }

            return [.. _streams];
        }
    }

    private void AddUnsynchronized(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_left > 0)
            {
                var step = (int)Math.Min(_left, bytes.Length);
                _left -= step;
                bytes = bytes[step..];
                continue;
            }

            var part = bytes[..Math.Min(bytes.Length, Http2FrameHeader.Size - _headerRead)];
            part.CopyTo(_header.AsSpan(_headerRead));
            _headerRead += part.Length;
            bytes = bytes[part.Length..];
            if (_headerRead == Http2FrameHeader.Size)
            {
                OnFrame(Http2FrameHeader.Read(new ReadOnlySequence<byte>(_header)));
            }
        }
    }

    // Trailers are HEADERS too, of a stream that is known.
    private void OnFrame(Http2FrameHeader header)
    {
        (_headerRead, _left) = (0, header.Length);
        if (!header.IsHeaders || header.StreamId <= _last)
        {
            return;
        }

        _last = header.StreamId;
        if (!_isAnswered)
        {
            _streams.Add(_last);
        }

        if (_last > _lastAnswered)
        {
            _leftOut.Add(_last);
            _anyLeftOut?.TrySetResult();
        }
    }
}
