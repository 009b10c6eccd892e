using System.IO.Pipelines;

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
        stream.FlushesSoon = soon;
        output.Threads.Clear();

        var writer = new Thread(() => stream.AsStream().Write([1]));
        writer.Start();
        await peer.ExpectAsync(Frame.Data(1, [1]));
        writer.Join();

        Assert.Equal([expected], output.Threads);
        session.Abort();
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
