using System.IO.Pipelines;

namespace Yamux.Tests.Face;

/// <summary>A <see cref="YamuxTransport"/> of the user's is released whatever it does, and told when nobody knows whether the peer still reads.</summary>
public class OwnTransportTests
{
    private readonly TestTime _time = new();

    [Fact]
    public async Task It_is_released_though_its_sending_side_cannot_be_ended()
    {
        var (transport, peer) = Create(shutdownSend: _ => throw new IOException("the connection is gone"));
        var session = NewSession(transport);

        var disposal = session.DisposeAsync().AsTask();
        await peer.AnswerCloseAsync();
        await disposal.Guarded();

        Assert.Equal(["DisposeAsync"], transport.Calls);
    }

    [Fact]
    public async Task It_is_released_though_the_end_of_its_sending_side_was_waited_for_in_vain()
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var (transport, _) = Create(async token =>
        {
            started.SetResult();
            await Task.Delay(Timeout.Infinite, token);
            return true;
        });
        var session = NewSession(transport);

        var disposal = session.DisposeAsync().AsTask();
        await started.Task.Guarded();
        session.Abort();
        await disposal.Guarded();

        Assert.Equal(["Abort", "DisposeAsync"], transport.Calls);
    }

    [Fact]
    public async Task It_is_released_though_its_Abort_throws()
    {
        var (ours, _) = DuplexPipe.CreatePair();
        var transport = new RecordingTransport(ours) { AbortFailure = new InvalidOperationException("it must not") };
        var session = NewSession(transport);

        session.Abort();
        await session.Completion.Guarded();

        Assert.Equal(["Abort", "DisposeAsync"], transport.Calls);
    }

    [Fact]
    public async Task An_aborted_session_does_not_wait_for_the_end_of_its_sending_side_whatever_token_that_ignores()
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var never = new TaskCompletionSource<bool>();
        var (transport, _) = Create(_ =>
        {
            started.SetResult();
            return new ValueTask<bool>(never.Task);
        });
        var session = NewSession(transport);

        var disposal = session.DisposeAsync().AsTask();
        await started.Task.Guarded();
        session.Abort();
        await disposal.Guarded();

        Assert.Equal(["Abort", "DisposeAsync"], transport.Calls);
    }

    [Fact]
    public async Task It_is_released_though_its_AbortAfter_throws()
    {
        var (ours, theirs) = DuplexPipe.CreatePair();
        var transport = new RecordingTransport(ours) { AbortFailure = new InvalidOperationException("it must not") };
        var session = NewSession(transport);
        var peer = new ScriptedPeer(theirs);

        await peer.SendAsync(Frame.GoAway(0));
        peer.CloseOutput();
        await session.Completion.Guarded();

        Assert.Equal(["AbortAfter 10 s", "DisposeAsync"], transport.Calls);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(null)]
    public async Task Its_input_is_completed_though_a_write_hangs(int? seconds)
    {
        var input = new Pipe();
        var output = new HungWriter();
        var session = NewSession(new RecordingTransport(new DuplexPipe(input.Reader, output)), seconds is { } s ? TimeSpan.FromSeconds(s) : Timeout.InfiniteTimeSpan);
        await session.OpenStreamAsync().Guarded();
        await output.Writing.Guarded();

        session.Abort();
        await _time.TimerSetAsync(TimeSpan.FromSeconds(10));
        _time.Advance(TimeSpan.FromSeconds(10));
        await session.Completion.Guarded();

        Assert.True((await input.Writer.FlushAsync().Guarded()).IsCompleted);
    }

    [Fact]
    public async Task A_peer_that_closed_its_side_behind_GoAway_has_ConnectionWriteTimeout_to_read_the_rest()
    {
        var (transport, peer) = Create();
        var session = NewSession(transport);

        await peer.SendAsync(Frame.GoAway(0));
        peer.CloseOutput();
        await session.Completion.Guarded();

        Assert.Equal(["AbortAfter 10 s", "DisposeAsync"], transport.Calls);
    }

    [Fact]
    public async Task So_has_one_that_broke_the_protocol()
    {
        var (transport, peer) = Create();
        var session = NewSession(transport);

        await peer.SendAsync(Frame.Ping(1) with { Version = 9 });
        await peer.ExpectAsync(Frame.GoAway(1));
        peer.CloseOutput();
        await Guard.FailsWithAsync(YamuxErrorCode.ProtocolError, session.Completion);

        Assert.Equal(["AbortAfter 10 s", "DisposeAsync"], transport.Calls);
    }

    [Fact]
    public async Task One_that_has_confirmed_everything_needs_none()
    {
        var (transport, peer) = Create();
        var session = NewSession(transport);

        var disposal = session.DisposeAsync().AsTask();
        await peer.AnswerCloseAsync();
        await disposal.Guarded();

        Assert.Equal(["DisposeAsync"], transport.Calls);
    }

    private static (RecordingTransport Transport, ScriptedPeer Peer) Create(Func<CancellationToken, ValueTask<bool>>? shutdownSend = null)
    {
        var (ours, theirs) = DuplexPipe.CreatePair();
        var transport = shutdownSend is null ? new RecordingTransport(ours) : new RecordingTransport(ours) { ShutdownSend = shutdownSend };
        return (transport, new ScriptedPeer(theirs));
    }

    private YamuxSession NewSession(YamuxTransport transport, TimeSpan? writeTimeout = null)
        => YamuxSession.Create(
            transport,
            YamuxRole.Server,
            new YamuxOptions { TimeProvider = _time, EnableKeepAlive = false, ConnectionWriteTimeout = writeTimeout ?? TimeSpan.FromSeconds(10) });

    /// <summary>A write to it does not end, not even when it is cancelled.</summary>
    private sealed class HungWriter : PipeWriter
    {
        private readonly TaskCompletionSource<FlushResult> _never = new();
        private readonly TaskCompletionSource _writing = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Writing => _writing.Task;

        public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
        {
            _writing.TrySetResult();
            return new ValueTask<FlushResult>(_never.Task);
        }

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => new(_never.Task);

        public override void Advance(int bytes) => throw new NotSupportedException();

        public override Memory<byte> GetMemory(int sizeHint = 0) => throw new NotSupportedException();

        public override Span<byte> GetSpan(int sizeHint = 0) => throw new NotSupportedException();

        public override void CancelPendingFlush()
        {
        }

        public override void Complete(Exception? exception = null)
        {
        }
    }
}
