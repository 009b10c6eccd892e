using System.IO.Pipelines;
using Microsoft.Extensions.Time.Testing;

namespace Yamux.Tests.Limits;

/// <summary>A deadline that is due in the very instant in which it begins anew.</summary>
public class DeadlineRaceTests
{
    [Fact]
    public async Task A_close_timeout_that_is_due_while_the_peer_takes_bytes_does_not_fire()
    {
        var time = new WatchedTime();
        var (ours, theirs) = DuplexPipe.CreatePair();
        var output = new GatedWriter(ours.Output);
        var peer = new ScriptedPeer(theirs);
        var options = new YamuxOptions { TimeProvider = time, EnableKeepAlive = false, StreamOpenTimeout = Timeout.InfiniteTimeSpan };
        options.FixWindows(262_144);
        await using var session = YamuxSession.Create(new DuplexPipe(ours.Input, output), YamuxRole.Client, options);
        using var opened = output; // Before the session, which could not end.
        var stream = await session.OpenStreamAsync().Guarded();
        var other = await session.OpenStreamAsync().Guarded();
        await peer.ExpectAsync(Frame.Syn(1), Frame.Syn(3));
        await peer.SendAsync(Frame.Ack(1), Frame.Ack(3));
        other.Input.Complete();
        stream.Output.GetSpan(300_000);
        stream.Output.Advance(300_000);
        _ = stream.DisposeAsync().AsTask();
        await peer.ReadDataAsync(1, 262_144);
        await peer.ExpectNothingAsync();
        time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));

        // The stream sends a byte, and is held up just before its deadline begins anew.
        output.Close();
        await peer.SendAsync(Frame.Credit(1, 1));
        await output.Held.Guarded();

        // The deadline is taken from its queue, under the timer's lock. Who asks for the time under that lock comes after it.
        var timer = time.NextCallAsync();
        var advance = Task.Run(() => time.Advance(TimeSpan.FromTicks(1)));
        await timer.Guarded();
        var completion = time.NextCallAsync();
        var complete = Task.Run(() => other.Output.Complete());
        await completion.Guarded();
        output.Open();
        await Task.WhenAll(advance, complete).Guarded();

        await peer.ReadDataAsync(1, 1);
        await peer.ExpectAsync(Frame.Fin(3));
        await peer.SendAsync(Frame.Fin(3));
        await peer.ExpectNothingAsync();
        Assert.Equal(1, session.StreamCount);
        time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));
        await peer.ExpectNothingAsync();
        time.Advance(TimeSpan.FromTicks(1));
        await peer.ExpectAsync(Frame.Rst(1));
        session.Abort();
    }

    /// <summary>A clock that tells when it is asked.</summary>
    private sealed class WatchedTime : FakeTimeProvider
    {
        private volatile TaskCompletionSource? _next;

        public Task NextCallAsync()
        {
            var next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _next = next;
            return next.Task;
        }

        public override long GetTimestamp()
        {
            _next?.TrySetResult();
            return base.GetTimestamp();
        }
    }

    /// <summary>A writer in which the engine can be held up, with the stream's lock in its hands.</summary>
    private sealed class GatedWriter(PipeWriter inner) : PipeWriter, IDisposable
    {
        private readonly ManualResetEventSlim _open = new(true);
        private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Held => _held.Task;

        public void Close() => _open.Reset();

        public void Open() => _open.Set();

        public void Dispose() => _open.Set();

        public override void Advance(int bytes) => inner.Advance(bytes);

        public override Memory<byte> GetMemory(int sizeHint = 0)
        {
            if (!_open.IsSet)
            {
                _held.TrySetResult();
                _open.Wait();
            }

            return inner.GetMemory(sizeHint);
        }

        public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);
    }
}
