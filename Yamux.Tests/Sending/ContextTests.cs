using System.IO.Pipelines;

namespace Yamux.Tests.Sending;

/// <summary>What a caller has in its ExecutionContext, the Activity of a request say, is its own.</summary>
public class ContextTests
{
    [Fact]
    public async Task Writes_that_follow_another_do_not_run_in_the_context_of_whoever_flushed_first()
    {
        var local = new AsyncLocal<string?>();
        var (ours, theirs) = DuplexPipe.CreatePair();
        var output = new PausedWriter(ours.Output, local);
        var options = new YamuxOptions { EnableKeepAlive = false };
        options.FixWindows(262_144);
        await using var session = YamuxSession.Create(new DuplexPipe(ours.Input, output), YamuxRole.Client, options);
        var peer = new ScriptedPeer(theirs);
        output.Resume();
        var stream = await session.OpenStreamAsync().Guarded();
        await peer.ReadAsync();
        output.Pause();

        await Task.Run(async () =>
        {
            local.Value = "a request";
            await stream.WriteAsync(new byte[] { 1 });
        }).Guarded();
        await output.Paused.Guarded();
        await stream.WriteAsync(new byte[] { 2 }).Guarded();
        output.Resume();
        await peer.ReadDataAsync(stream.Id, 2);

        Assert.Null(output.ContextOfLastWrite);
        var disposal = session.DisposeAsync();
        await peer.AnswerCloseAsync();
        await disposal.Guarded();
    }

    // Goes on in the context that it was called in, as every async method does.
    private sealed class PausedWriter(PipeWriter inner, AsyncLocal<string?> local) : PipeWriter
    {
        private volatile TaskCompletionSource _resumed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile TaskCompletionSource _paused = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string? ContextOfLastWrite { get; private set; }

        /// <summary>Completes when a write waits.</summary>
        public Task Paused => _paused.Task;

        public void Pause()
        {
            _resumed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _paused = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        public void Resume() => _resumed.SetResult();

        public override async ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
        {
            ContextOfLastWrite = local.Value;
            var resumed = _resumed.Task;
            if (!resumed.IsCompleted)
            {
                _paused.TrySetResult();
            }

            await resumed;
            return await inner.WriteAsync(source, cancellationToken);
        }

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

        public override void Advance(int bytes) => inner.Advance(bytes);

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);
    }
}
