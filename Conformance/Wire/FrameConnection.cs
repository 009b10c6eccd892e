using System.Net.Sockets;
using System.Threading.Channels;

namespace Conformance.Wire;

/// <summary>
/// A TCP connection that frames are sent on and read from. It reads all the time, so that a target which writes before it
/// reads is never held up by us, unless a case wants just that.
/// </summary>
internal sealed class FrameConnection : IAsyncDisposable
{
    private const string InOrder = "the target closed the connection";

    // More than this no target may send in one frame: it is more credit than any case gives.
    private const uint LongestPayload = 32 * 1024 * 1024;

    private const int SmallBuffer = 64 * 1024;

    // Between two small buffers' worth: 3 MB/s at most.
    private static readonly TimeSpan Break = TimeSpan.FromMilliseconds(20);

    private readonly Socket _socket;
    private readonly Stream _input;
    private readonly Channel<Frame> _frames = Channel.CreateUnbounded<Frame>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
    private readonly CancellationTokenSource _disposed = new();
    private readonly Task _reading;
    private volatile TaskCompletionSource? _paused;
    private volatile bool _readsSlowly;
    private int _sinceBreak;

    public FrameConnection(Socket socket, Transcript transcript)
    {
        _socket = socket;
        socket.NoDelay = true;
        _input = new BufferedStream(new NetworkStream(socket, ownsSocket: false), 64 * 1024);
        Transcript = transcript;
        _reading = ReadAsync();
    }

    public Transcript Transcript { get; }

    /// <summary>What has come. Completed when the target's side of the connection has ended; see <see cref="End"/>.</summary>
    public ChannelReader<Frame> Frames => _frames.Reader;

    /// <summary>How the target's side of the connection ended; null while it has not.</summary>
    public string? End { get; private set; }

    /// <summary>Whether the target ended its side behind a whole frame, and not by a reset.</summary>
    public bool HasEndedInOrder => End == InOrder;

    /// <summary>
    /// Reads no more, but for what a read under way still brings, and keeps our system from taking in much on its own. The
    /// target's output then fills up.
    /// </summary>
    public void PauseReading()
    {
        _socket.ReceiveBufferSize = SmallBuffer;
        _paused ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Reads no faster than a slow link would let it, from now on. The target's output fills up, and moves.</summary>
    public void ReadSlowly()
    {
        _socket.ReceiveBufferSize = SmallBuffer;
        _readsSlowly = true;
    }

    public void ResumeReading()
    {
        var paused = _paused;
        _paused = null;
        paused?.TrySetResult();
    }

    /// <summary>Sends all of <paramref name="bytes"/>. False: the target has closed the connection.</summary>
    /// <exception cref="OperationCanceledException">The target did not take it in time; a part may have been sent.</exception>
    public async Task<bool> TrySendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            while (bytes.Length > 0)
            {
                bytes = bytes[await _socket.SendAsync(bytes, SocketFlags.None, cancellationToken)..];
            }

            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Ends our side of the connection (TCP FIN) and goes on reading.</summary>
    public void EndSending()
    {
        Transcript.Sent("end of connection (TCP FIN)");
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException error)
        {
            Transcript.Note($"the connection was gone already: {error.SocketErrorCode}");
        }
    }

    /// <summary>Destroys the connection (TCP RST), as the death of a host does.</summary>
    public void Reset()
    {
        Transcript.Sent("reset of the connection (TCP RST)");
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Close();
    }

    /// <summary>Twice is the same as once: a case that leaves its connection for another may fail in between.</summary>
    public async ValueTask DisposeAsync()
    {
        ResumeReading();
        await _disposed.CancelAsync();
        _socket.Dispose();
        await _reading;
    }

    private async Task ReadAsync()
    {
        try
        {
            End = await ReadFramesAsync();
        }
        catch (IOException error) when (error.InnerException is SocketException socketError)
        {
            End = socketError.SocketErrorCode == SocketError.ConnectionReset ? "the target reset the connection (TCP RST)" : $"the connection failed: {socketError.SocketErrorCode}";
        }
        catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException or IOException { InnerException: ObjectDisposedException })
        {
            End = "we closed the connection";
        }

        Transcript.Note(End);
        _frames.Writer.Complete();
    }

    private async Task<string> ReadFramesAsync()
    {
        var header = new byte[Frame.HeaderSize];
        while (true)
        {
            var got = await FillAsync(header);
            if (got < header.Length)
            {
                return got == 0 ? InOrder : $"the target closed the connection after {got} bytes of a header";
            }

            var frame = Frame.ReadHeader(header);
            if (frame is { Type: FrameType.Data, Length: > 0 and <= LongestPayload })
            {
                var payload = new byte[frame.Length];
                got = await FillAsync(payload);
                frame = frame with { Payload = payload.AsMemory(0, got) };
                if (got < payload.Length)
                {
                    Transcript.Received(frame);
                    return $"the target closed the connection after {got} of {payload.Length} bytes of a payload";
                }
            }

            Transcript.Received(frame);
            _frames.Writer.TryWrite(frame);
        }
    }

    private async Task<int> FillAsync(Memory<byte> buffer)
    {
        var filled = 0;
        while (filled < buffer.Length)
        {
            if (_paused is { } paused)
            {
                await paused.Task.WaitAsync(_disposed.Token);
            }

            var got = await _input.ReadAsync(buffer[filled..], _disposed.Token);
            if (got == 0)
            {
                break;
            }

            filled += got;
            _sinceBreak += got;
            if (_readsSlowly && _sinceBreak >= SmallBuffer)
            {
                _sinceBreak = 0;
                await Task.Delay(Break, _disposed.Token);
            }
        }

        return filled;
    }
}
