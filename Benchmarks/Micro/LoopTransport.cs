using System.Buffers;
using System.IO.Pipelines;
using Yamux;
using Yamux.Protocol;

namespace Benchmarks.Micro;

/// <summary>
/// A transport without a peer: what the session sends is counted and dropped, and what it receives is fed to it, on the thread
/// that feeds. So one thread runs all that is measured, and nothing waits.
/// </summary>
internal sealed class LoopTransport : IDuplexPipe
{
    private readonly Pipe _input = new(new PipeOptions(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: 0, useSynchronizationContext: false));

    private readonly Drop _output = new();

    public PipeReader Input => _input.Reader;

    public PipeWriter Output => _output;

    /// <summary>How many bytes the session has sent.</summary>
    public long SentBytes => _output.Bytes;

    /// <summary>The session reads these bytes, and has dealt with them when this returns.</summary>
    public void Feed(ReadOnlySpan<byte> bytes)
    {
        _input.Writer.Write(bytes);
        var flush = _input.Writer.FlushAsync();
        if (!flush.IsCompletedSuccessfully || flush.Result.IsCompleted)
        {
            throw new InvalidOperationException("The session has ended, and does not take what it is fed.");
        }
    }

    /// <summary>The session reads a frame without payload.</summary>
    public void Feed(FrameType type, FrameFlags flags, uint stream, uint length)
    {
        Span<byte> header = stackalloc byte[FrameHeader.Size];
        new FrameHeader(type, flags, stream, length).Write(header);
        Feed(header);
    }

    /// <summary>A session whose read loop waits for what it is fed.</summary>
    public static async Task<(LoopTransport Transport, YamuxSession Session)> StartAsync(YamuxRole role, YamuxOptions? options = null)
    {
        var transport = new LoopTransport();
        var session = YamuxSession.Create(transport, role, options ?? new YamuxOptions { EnableKeepAlive = false, MaxEmptyFrames = int.MaxValue });

        // The loop starts on a thread of its own. It has come so far when it answers.
        var before = transport.SentBytes;
        transport.Feed(FrameType.Ping, FrameFlags.Syn, 0, 1);
        while (Volatile.Read(ref transport._output.Bytes) == before)
        {
            await Task.Delay(1);
        }

        // And it waits again very soon after.
        await Task.Delay(50);
        return (transport, session);
    }

    /// <summary>A Data frame.</summary>
    public static byte[] DataFrame(uint stream, int length)
    {
        var frame = new byte[FrameHeader.Size + length];
        new FrameHeader(FrameType.Data, FrameFlags.None, stream, (uint)length).Write(frame);
        return frame;
    }

    private sealed class Drop : PipeWriter
    {
        private readonly byte[] _buffer = new byte[256 * 1024];

        public long Bytes;

        public override void Advance(int bytes) => Volatile.Write(ref Bytes, Bytes + bytes);

        public override Memory<byte> GetMemory(int sizeHint = 0) => _buffer;

        public override Span<byte> GetSpan(int sizeHint = 0) => _buffer;

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => default;

        public override void CancelPendingFlush()
        {
        }

        public override void Complete(Exception? exception = null)
        {
        }
    }
}
