using System.Diagnostics.CodeAnalysis;
using Backchannel.Tests.Authority;
using Backchannel.Tests.Draining.Kit;
using Backchannel.Tests.Kit;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Draining;

/// <summary>When a client's session ends, of which its host shows no more than that it has.</summary>
public class HostedSessionTests
{
    private static readonly byte[] GoAway = [.. Http2Frames.Frame(Http2Frames.Settings, 0, 0, []), .. Http2Frames.Frame(Http2Frames.GoAway, 0, 0, new byte[8])];
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_drain_that_the_server_has_begun_gets_a_limit_when_the_host_stops()
    {
        await using var kit = await Kit.StartAsync();
        await using var served = await kit.OpenServedAsync();
        await kit.Lent.WriteAsync(LentPair.Request).Guarded();
        await kit.Server.Output.WriteAsync(GoAway).Guarded();
        Assert.Equal(GoAway.Length, await kit.Lent.ReadAtLeastAsync(new byte[100], GoAway.Length).Guarded());
        await kit.Lent.DisposeAsync();
        kit.Time.Advance(10 * DrainTimeout);
        Assert.Equal(0, await PingAsync(kit)); // As long as the server likes.

        kit.Hosted.Drain("the client is stopping");
        kit.Time.Advance(DrainTimeout - TimeSpan.FromTicks(1));
        Assert.Equal(0, await PingAsync(kit));
        kit.Time.Advance(TimeSpan.FromTicks(1));

        await kit.Running.Guarded();
    }

    [Fact]
    public async Task A_limit_that_runs_is_not_begun_anew()
    {
        await using var kit = await Kit.StartAsync();
        await using var served = await kit.OpenServedAsync();
        kit.Hosted.Drain("the first");
        kit.Time.Advance(DrainTimeout - TimeSpan.FromTicks(1));

        kit.Hosted.Drain("the second");
        await kit.Lent.DisposeAsync();
        Assert.Equal("the first", kit.Hosted.DrainReason);
        kit.Time.Advance(TimeSpan.FromTicks(1));

        await kit.Running.Guarded();
    }

    [Fact]
    public async Task The_end_of_the_last_stream_that_is_served_ends_nothing_while_a_handler_has_one()
    {
        await using var kit = await Kit.StartAsync();
        await using var served = await kit.OpenServedAsync();

        await (await kit.Listener.AcceptAsync().Guarded())!.DisposeAsync().Guarded();

        Assert.Equal(0, await PingAsync(kit));
        Assert.Null(kit.Hosted.DrainReason);
        await kit.Lent.WriteAsync(LentPair.Request).Guarded();
        await kit.Server.Output.WriteAsync(GoAway).Guarded();
        Assert.Equal(GoAway.Length, await kit.Lent.ReadAtLeastAsync(new byte[100], GoAway.Length).Guarded());
        await kit.Lent.DisposeAsync();
        await kit.Running.Guarded();
    }

    [Fact]
    public async Task A_stream_that_waits_to_be_served_is_waited_for()
    {
        await using var kit = await Kit.StartAsync();
        await using var served = await kit.OpenServedAsync();

        await kit.Lent.DisposeAsync();
        Assert.Equal(0, await PingAsync(kit));
        var connection = await kit.Listener.AcceptAsync().Guarded();
        await connection!.Transport.Output.WriteAsync("the last words"u8.ToArray()).Guarded();
        Assert.Equal(0, await PingAsync(kit));
        await connection.DisposeAsync().Guarded();

        await kit.Running.Guarded();
        Assert.Equal("the last words"u8.Length, (await served.Input.ReadAtLeastAsync(100).Guarded()).Buffer.Length);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stream_beside_HTTP2_is_asked_to_close_when_no_call_runs_in_either_direction(bool serversCallsEndFirst)
    {
        await using var kit = await Kit.StartAsync();
        await using var first = await kit.OpenServedAsync();
        await using var second = await kit.OpenServedAsync();
        var stream = await kit.AcceptAsync();
        var http = await kit.AcceptAsync();
        var calls = new TaskCompletionSource();
        var serving = HostedSession.ServeAsync(http.Connection, connection => HostedSession.ServeHttpAsync(connection, _ => calls.Task));

        if (serversCallsEndFirst)
        {
            calls.SetResult();
            await serving.Guarded();
            Assert.False(stream.Close.IsMade);
            await kit.Lent.DisposeAsync();
        }
        else
        {
            await kit.Lent.DisposeAsync();
            Assert.True(http.Close.IsMade);
            Assert.False(stream.Close.IsMade);
            calls.SetResult();
            await serving.Guarded();
        }

        Assert.True(stream.Close.IsMade);
        await http.Connection.DisposeAsync().Guarded();
        Assert.Equal(0, await PingAsync(kit));
        await stream.Connection.DisposeAsync().Guarded();
        await kit.Running.Guarded();
    }

    [Fact]
    public async Task A_stream_that_takes_its_time_when_it_is_asked_to_close_holds_up_nobody()
    {
        await using var kit = await Kit.StartAsync();
        await using var served = await kit.OpenServedAsync();
        var stream = await kit.AcceptAsync();
        using var release = new ManualResetEventSlim();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await HostedSession.ServeAsync(stream.Connection, connection =>
        {
            connection.Features.GetRequiredFeature<IConnectionLifetimeNotificationFeature>().ConnectionClosedRequested.Register(() =>
            {
                asked.SetResult();
                release.Wait();
            });
            return Task.CompletedTask;
        }).Guarded();

        await Task.Run(kit.Lent.Dispose).Guarded();

        await asked.Task.Guarded();
        Assert.True(stream.Close.IsMade);
        await stream.Connection.DisposeAsync().Guarded();
        await kit.Running.Guarded();
        release.Set();
    }

    [Fact]
    public async Task A_stream_that_is_taken_up_when_no_call_runs_any_more_is_asked_to_close_then()
    {
        await using var kit = await Kit.StartAsync();
        await using var served = await kit.OpenServedAsync();
        await kit.Lent.DisposeAsync();
        var stream = await kit.AcceptAsync();

        await HostedSession.ServeAsync(stream.Connection, _ =>
        {
            Assert.True(stream.Close.IsMade); // Taken up, it is asked before anything else is done with it.
            return Task.CompletedTask;
        }).Guarded();

        await stream.Connection.DisposeAsync().Guarded();
        await kit.Running.Guarded();
    }

    [Fact]
    public async Task A_stream_that_comes_when_no_call_runs_any_more_is_reset_before_it_is_acknowledged()
    {
        await using var kit = await Kit.StartAsync();
        await using var before = await kit.OpenServedAsync();
        await kit.Lent.DisposeAsync();

        await using var late = await kit.Peer.OpenStreamAsync().Guarded();

        await Assert.ThrowsAsync<YamuxException>(() => late.Acknowledged.Guarded()); // Whoever has opened it knows that nothing of it was served.
        var stream = await kit.AcceptAsync();
        await HostedSession.ServeAsync(stream.Connection, _ => Task.CompletedTask).Guarded();
        Assert.True(stream.Close.IsMade);
        await stream.Connection.DisposeAsync().Guarded();
        await kit.Running.Guarded();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stream_that_outlives_its_session_is_asked_to_close(bool isTakenUpBefore)
    {
        await using var kit = await Kit.StartAsync();
        await using var served = await kit.OpenServedAsync();
        var stream = isTakenUpBefore ? await kit.AcceptAsync() : default;
        if (isTakenUpBefore)
        {
            await HostedSession.ServeAsync(stream.Connection, _ => Task.CompletedTask).Guarded();
            Assert.False(stream.Close.IsMade);
        }

        kit.Hosted.End();
        await kit.Running.Guarded();
        if (!isTakenUpBefore)
        {
            stream = await kit.AcceptAsync();
            await HostedSession.ServeAsync(stream.Connection, _ => Task.CompletedTask).Guarded();
        }

        Assert.True(stream.Close.IsMade);
        await stream.Connection.DisposeAsync().Guarded();
    }

    [Fact]
    public async Task The_connection_of_a_call_that_is_refused_is_asked_to_close_when_the_call_has_its_answer()
    {
        await using var kit = await Kit.StartAsync();
        await using var served = await kit.OpenServedAsync();
        kit.Hosted.Drain("the client is stopping");
        var (connection, close) = await kit.AcceptAsync();
        var response = new Response();
        connection.Features.Set<IHttpRequestFeature>(new HttpRequestFeature());
        connection.Features.Set<IHttpResponseFeature>(response);

        await new ServedCalls().OnRequestAsync(new DefaultHttpContext(connection.Features), _ => throw new InvalidOperationException("It is not to be served.")).Guarded();

        Assert.Equal("14", response.Headers["grpc-status"]);
        Assert.False(close.IsMade);
        await response.Completed.Guarded();
        Assert.True(close.IsMade);
        await connection.DisposeAsync().Guarded();
    }

    [Fact]
    public async Task A_stream_that_nobody_has_served_when_the_services_stop_is_reset()
    {
        await using var kit = await Kit.StartAsync();
        await using var served = await kit.OpenServedAsync();

        await kit.Listener.DisposeAsync().Guarded();

        Assert.Equal(YamuxErrorCode.StreamReset, (await Assert.ThrowsAsync<YamuxException>(() => served.Input.ReadAsync().Guarded())).ErrorCode);
    }

    [Fact]
    public async Task Whoever_comes_after_the_last_stream_was_given_back_gets_none()
    {
        await using var kit = await Kit.StartAsync();
        await using var served = await kit.OpenServedAsync();

        await kit.Lent.DisposeAsync();

        Assert.Equal("the client has closed its connection", kit.Hosted.DrainReason);
        Assert.Null(await kit.Hosted.TryLendAsync(TestContext.Current.CancellationToken).Guarded());
        Assert.Equal(0, await PingAsync(kit));
        Assert.Equal(2, kit.Peer.StreamCount); // What was opened in vain is taken back at once.
    }

    [Fact]
    public async Task A_session_that_has_failed_and_is_still_being_closed_lends_nothing()
    {
        var (near, far) = DuplexPipe.CreatePair();
        var held = new HeldOutput(near);
        await using var kit = await Kit.StartAsync(held, far);

        kit.Session.Abort(new IOException("the link"));

        Assert.False(kit.Session.Completion.IsCompleted);
        Assert.Null(await kit.Hosted.TryLendAsync(TestContext.Current.CancellationToken).Guarded());
        held.LetGo();
        await kit.Running.Guarded();
    }

    // Whether it has ended, once what was begun before has come to its end at both ends.
    private static async Task<int> PingAsync(Kit kit)
    {
        await kit.Peer.PingAsync(TestContext.Current.CancellationToken).Guarded();
        return kit.Running.IsCompleted ? 1 : 0;
    }

    /// <summary>A transport whose writer does not complete before it is let to.</summary>
    private sealed class HeldOutput(System.IO.Pipelines.IDuplexPipe inner) : System.IO.Pipelines.IDuplexPipe
    {
        private readonly HeldWriter _output = new(inner.Output);

        public System.IO.Pipelines.PipeReader Input => inner.Input;

        public System.IO.Pipelines.PipeWriter Output => _output;

        public void LetGo() => _output.Released.SetResult();

        private sealed class HeldWriter(System.IO.Pipelines.PipeWriter writer) : System.IO.Pipelines.PipeWriter
        {
            public TaskCompletionSource Released { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

            public override void Advance(int bytes) => writer.Advance(bytes);

            public override Memory<byte> GetMemory(int sizeHint = 0) => writer.GetMemory(sizeHint);

            public override Span<byte> GetSpan(int sizeHint = 0) => writer.GetSpan(sizeHint);

            public override void CancelPendingFlush() => writer.CancelPendingFlush();

            public override ValueTask<System.IO.Pipelines.FlushResult> FlushAsync(CancellationToken cancellationToken = default) => writer.FlushAsync(cancellationToken);

            public override void Complete(Exception? exception = null) => writer.Complete(exception);

            public override async ValueTask CompleteAsync(Exception? exception = null)
            {
                await Released.Task;
                await writer.CompleteAsync(exception);
            }
        }
    }

    [SuppressMessage("Design", "CA1001", Justification = "A source of cancellation without a timer has nothing to release.")]
    private sealed class CloseRequest : IConnectionLifetimeNotificationFeature
    {
        private readonly CancellationTokenSource _source = new();

        public bool IsMade => _source.IsCancellationRequested;

        public CancellationToken ConnectionClosedRequested
        {
            get => _source.Token;
            set => throw new NotSupportedException();
        }

        public void RequestClose() => _source.Cancel();
    }

    private sealed class Response : HttpResponseFeature
    {
        private Func<Task> _completed = () => throw new InvalidOperationException("Nobody waits for the answer.");

        public Task Completed => _completed();

        public override void OnCompleted(Func<object, Task> callback, object state) => _completed = () => callback(state);
    }

    private sealed class Kit : IAsyncDisposable
    {
        private Kit(YamuxSession session, YamuxSession peer, FakeTimeProvider time)
        {
            (Session, Peer, Time) = (session, peer, time);
            var options = new BackchannelHostOptions { DrainTimeout = DrainTimeout };
            options.Yamux.TimeProvider = time;
            Hosted = new HostedSession(session, "test", Listener, NullLogger.Instance, options, isTls: false);
        }

        public FakeTimeProvider Time { get; }

        public StreamListener Listener { get; } = new();

        public YamuxSession Session { get; }

        public HostedSession Hosted { get; }

        public LentStream Lent { get; private set; } = null!;

        public Task Running { get; private set; } = null!;

        /// <summary>The server's session, and its end of the lent stream.</summary>
        public YamuxSession Peer { get; }

        public YamuxStream Server { get; private set; } = null!;

        public static async Task<Kit> StartAsync(System.IO.Pipelines.IDuplexPipe? near = null, System.IO.Pipelines.IDuplexPipe? far = null)
        {
            var time = new FakeTimeProvider();
            if (near is null || far is null)
            {
                (near, far) = DuplexPipe.CreatePair();
            }

            var kit = new Kit(YamuxSession.Create(near, YamuxRole.Client, Quiet()), YamuxSession.Create(far, YamuxRole.Server, Quiet()), time);
            (kit.Lent, var stream) = await kit.Hosted.LendFirstAsync(TestContext.Current.CancellationToken).Guarded();
            kit.Server = (await kit.Peer.AcceptStreamAsync().Guarded())!;
            kit.Running = kit.Hosted.RunAsync(kit.Hosted.ExpectAnswerAsync(stream, Timeout.InfiniteTimeSpan));
            return kit;

            static YamuxOptions Quiet() => new() { EnableKeepAlive = false };
        }

        /// <summary>A stream of the server's that the client has accepted, and that nobody serves yet.</summary>
        public async Task<YamuxStream> OpenServedAsync()
        {
            var stream = await Peer.OpenStreamAsync().Guarded();
            await stream.Acknowledged.Guarded();
            return stream;
        }

        /// <summary>What Kestrel accepts, and what it is asked.</summary>
        public async Task<(ConnectionContext Connection, CloseRequest Close)> AcceptAsync()
        {
            var connection = (await Listener.AcceptAsync().Guarded())!;
            var feature = new CloseRequest();
            connection.Features.Set<IConnectionLifetimeNotificationFeature>(feature);
            return (connection, feature);
        }

        public async ValueTask DisposeAsync()
        {
            Hosted.End();
            await Peer.DisposeAsync().Guarded();
            await Running.Guarded();
            await Listener.DisposeAsync().Guarded();
        }
    }
}
