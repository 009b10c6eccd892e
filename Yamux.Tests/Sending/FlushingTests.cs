using System.IO.Pipelines;
using System.Threading.Channels;

namespace Yamux.Tests.Sending;

/// <summary>Who writes to the transport: whoever flushes a stream, or the thread pool.</summary>
public class FlushingTests
{
    [Theory]
    [InlineData(false, "the writer's thread")]
    [InlineData(true, "the thread pool")]
    public async Task Data_leaves_on_the_writers_thread_unless_the_stream_flushes_soon(bool soon, string expected)
    {
        var (ours, theirs) = DuplexPipe.CreatePair();
        var output = new ThreadRecorder(ours.Output);
        var options = new YamuxOptions { TimeProvider = new TestTime(), EnableKeepAlive = false };
        options.FixWindows(262_144);
        var session = YamuxSession.Create(new Transport(ours.Input, output), YamuxRole.Client, options);
        var peer = new ScriptedPeer(theirs);
        var stream = await session.OpenStreamAsync().Guarded();
        await peer.ExpectAsync(Frame.Syn(1));
        stream.CoalesceWrites = soon;
        SpinWait.SpinUntil(() => !session.Writer.IsBusy); // The peer can see the SYN before its flusher has gone: what is added then is his to send.
        output.Threads.Clear();

        var writer = new Thread(() => stream.AsStream().Write([1]));
        writer.Start();
        await peer.ExpectAsync(Frame.Data(1, [1]));
        writer.Join();

        Assert.Equal([expected], output.Threads);
        session.Abort();
    }

    [Fact]
    public async Task Writes_that_became_small_grow_again_when_they_end_at_once()
    {
        var (ours, theirs) = DuplexPipe.CreatePair();
        var output = new SlowOutput(ours.Output);
        var options = new YamuxOptions { TimeProvider = new TestTime(), EnableKeepAlive = false, ConnectionWriteTimeout = Timeout.InfiniteTimeSpan };
        options.FixWindows(262_144);
        var session = YamuxSession.Create(new Transport(ours.Input, output), YamuxRole.Client, options);
        var peer = new ScriptedPeer(theirs);
        var stream = await session.OpenStreamAsync().Guarded();
        await peer.ExpectAsync(Frame.Syn(1));
        await peer.SendAsync(Frame.Credit(1, 10_000_000));
        output.Sizes.Clear();
        output.IsSlow = true;
        var write = stream.Output.WriteAsync(Bytes.Pattern(4_000_000)).AsTask();
        while (output.Sizes.LastOrDefault() != 4096)
        {
            await output.WriteWaitsAsync().Guarded();
            ((TestTime)options.TimeProvider).Advance(TimeSpan.FromSeconds(2));
            output.EndWrite();
        }

        await output.WriteWaitsAsync().Guarded();
        output.IsSlow = false;
        output.EndWrite();
        await write.Guarded();

        Assert.InRange(output.Sizes[^20..].Max(), 65_536, 80 * 1024);
        session.Abort();
    }

    /// <summary>Writes wait, if it is slow, until they are told to end; what is large goes nowhere.</summary>
    private sealed class SlowOutput(PipeWriter output) : PipeWriter
    {
        private readonly Channel<bool> _waits = Channel.CreateUnbounded<bool>();
        private TaskCompletionSource<FlushResult>? _waiting;

        public List<int> Sizes { get; } = [];

        public bool IsSlow { get; set; }

        public Task<bool> WriteWaitsAsync() => _waits.Reader.ReadAsync().AsTask();

        public void EndWrite() => _waiting!.SetResult(default);

        public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
        {
            Sizes.Add(source.Length);
            if (!IsSlow)
            {
                return source.Length < 100 ? output.WriteAsync(source, cancellationToken) : default;
            }

            _waiting = new TaskCompletionSource<FlushResult>(TaskCreationOptions.RunContinuationsAsynchronously);
            var ended = _waiting.Task;
            _waits.Writer.TryWrite(true);
            return new ValueTask<FlushResult>(ended);
        }

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => output.FlushAsync(cancellationToken);

        public override void Advance(int bytes) => output.Advance(bytes);

        public override Memory<byte> GetMemory(int sizeHint = 0) => output.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => output.GetSpan(sizeHint);

        public override void CancelPendingFlush() => output.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => output.Complete(exception);
    }

    private sealed record Transport(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class ThreadRecorder(PipeWriter output) : PipeWriter
    {
        public List<string> Threads { get; } = [];

        public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
        {
            Threads.Add(Thread.CurrentThread.IsThreadPoolThread ? "the thread pool" : "the writer's thread");
            return output.WriteAsync(source, cancellationToken);
        }

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => output.FlushAsync(cancellationToken);

        public override void Advance(int bytes) => output.Advance(bytes);

        public override Memory<byte> GetMemory(int sizeHint = 0) => output.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => output.GetSpan(sizeHint);

        public override void CancelPendingFlush() => output.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => output.Complete(exception);
    }
}
