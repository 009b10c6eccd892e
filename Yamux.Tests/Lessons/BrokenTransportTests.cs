using System.IO.Pipelines;
using Microsoft.Extensions.Logging;

namespace Yamux.Tests.Lessons;

/// <summary>Transports, and loggers, that do what they should not. The session ends all the same, and nobody waits for ever.</summary>
public class BrokenTransportTests
{
    [Fact]
    public async Task A_transport_whose_output_somebody_has_completed_ends_the_session()
    {
        var (ours, theirs) = DuplexPipe.CreatePair();
        await using var session = YamuxSession.Create(ours, YamuxRole.Client);
        var stream = await session.OpenStreamAsync().Guarded();
        ours.Output.Complete();

        // What is written is taken until the transport is seen to be broken; nobody hears of that but by the next write.
        var error = await Record.ExceptionAsync(async () =>
        {
            while (true)
            {
                await stream.Output.WriteAsync(new byte[] { 1 }).Guarded();
            }
        });
        Assert.Equal(YamuxErrorCode.ConnectionLost, Assert.IsType<YamuxException>(error).ErrorCode);
        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, session.OpenStreamAsync());
        theirs.Output.Complete();

        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, session.Completion);
        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, stream.Input.ReadAsync());
        Assert.Equal(0, session.StreamCount);
    }

    [Fact]
    public async Task A_session_whose_output_somebody_has_completed_can_be_disposed()
    {
        var (ours, _) = DuplexPipe.CreatePair();
        var session = YamuxSession.Create(ours, YamuxRole.Client);
        ours.Output.Complete();

        await session.DisposeAsync().Guarded();

        Assert.Null(await session.AcceptStreamAsync().Guarded());
    }

    [Fact]
    public async Task Aborting_does_not_wait_for_a_stream_that_ignores_cancellation()
    {
        var transport = new StubbornStream();
        var session = YamuxSession.Create(transport, YamuxRole.Client, new YamuxOptions { ConnectionWriteTimeout = Timeout.InfiniteTimeSpan });
        await session.OpenStreamAsync().Guarded();
        await transport.Writing.Guarded();

        session.Abort();

        await session.Completion.Guarded();
    }

    [Fact]
    public async Task A_logger_that_throws_keeps_nobody_waiting()
    {
        var (ours, theirs) = DuplexPipe.CreatePair();
        var session = YamuxSession.Create(ours, YamuxRole.Client, logger: new ThrowingLogger());
        await theirs.Output.WriteAsync(Frame.Data(0, []).ToBytes());

        await Guard.FailsWithAsync(YamuxErrorCode.ProtocolError, session.Completion);
        await session.DisposeAsync().Guarded();
    }

    /// <summary>What nobody catches on a thread of the pool's ends the process, and this test with it.</summary>
    [Fact]
    public async Task Callbacks_that_throw_and_a_logger_that_throws_end_neither_the_session_nor_the_process()
    {
        var (first, second) = DuplexPipe.CreatePair();
        await using var session = YamuxSession.Create(first, YamuxRole.Client, logger: new ThrowingLogger());
        await using var peer = YamuxSession.Create(second, YamuxRole.Server);
        var stream = await session.OpenStreamAsync().Guarded();
        using var called = new SemaphoreSlim(0);
        await using var closed = stream.Closed.Register(Throw);
        await using var goingAway = session.GoAwayReceived.Register(Throw);

        stream.Abort();
        await peer.GoAwayAsync().Guarded();

        await called.WaitAsync().Guarded();
        await called.WaitAsync().Guarded();
        await session.PingAsync().Guarded();

        void Throw()
        {
            called.Release();
            throw new InvalidOperationException("a callback's fault");
        }
    }

    private sealed class ThrowingLogger : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => throw new InvalidOperationException("a logger that throws");
    }
}
