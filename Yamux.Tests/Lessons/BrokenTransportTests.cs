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

    private sealed class ThrowingLogger : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => throw new InvalidOperationException("a logger that throws");
    }
}
