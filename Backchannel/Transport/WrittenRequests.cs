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

    // It is written as soon as the handler's threads get to it.
    private static readonly TimeSpan FirstRequestLimit = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _anyWritten = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _noOther = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _givenBack = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<int> _streams = []; // As long as the peer has not answered.
    private readonly List<int> _leftOut = [];
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
            for (var request = Math.Max((long)limit + 1, _last - (2L * MostLeftOut)) | 1; request <= _last; request += 2)
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

    /// <summary>Writes what <see cref="Add"/> was told of.</summary>
    public ValueTask WriteAsync(Stream connection, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        => AnyWritten && Volatile.Read(ref _isAnswered) ? connection.WriteAsync(bytes, cancellationToken) : WriteFirstAsync(connection, bytes, cancellationToken);

    private async ValueTask WriteFirstAsync(Stream connection, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            await connection.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        }
        catch (YamuxException failure) when (IsEndedByPeer(failure))
        {
            // The reader learns it too, and tells it.
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
    /// <exception cref="IOException"><paramref name="reason"/>: there will be none.</exception>
    public async ValueTask<byte[]> RefuseAsync(IOException reason, CancellationToken cancellationToken)
    {
        await Task.WhenAny(_anyWritten.Task, _noOther.Task).WaitAsync(cancellationToken).ConfigureAwait(false);
        if (Snapshot() is not { Length: > 0 } streams)
        {
            throw reason;
        }

        AreRefused = true;
        return Http2Refusal.Create(streams, reason.Message);
    }

    /// <summary>Waits for no request any more.</summary>
    public void ExpectNoOther() => _noOther.TrySetResult();

    /// <summary>The client gives the connection back.</summary>
    public void GiveBack()
    {
        ExpectNoOther();
        _givenBack.TrySetResult();
    }

    /// <summary>Until then the client, which has its answers, must not see that the connection has ended: that would be a failure of what it has not done with yet.</summary>
    public Task WaitUntilGivenBackAsync(CancellationToken cancellationToken) => _givenBack.Task.WaitAsync(cancellationToken);

    // In the order in which they were opened.
    private int[] Snapshot()
    {
        lock (_gate)
        {
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
        }
    }
}
