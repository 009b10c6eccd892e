namespace Yamux.Tests.Face;

/// <summary>Pings, the end of a session, and what is told about it.</summary>
public class SessionTests
{
    [Fact]
    public async Task A_ping_measures_the_time_to_its_answer()
    {
        await using var t = Scenario.Client();
        var ping = t.Session.PingAsync().AsTask();
        var request = await t.Peer.ReadAsync();
        Assert.Equal(Frame.Ping(request.Length), request);

        t.Time.Advance(TimeSpan.FromMilliseconds(42));
        await t.Peer.SendAsync(Frame.Pong(request.Length));

        Assert.Equal(TimeSpan.FromMilliseconds(42), await ping.Guarded());
    }

    [Fact]
    public async Task Pings_at_once_have_values_of_their_own_and_are_answered_in_any_order()
    {
        await using var t = Scenario.Client();
        var pings = Enumerable.Range(0, 3).Select(_ => t.Session.PingAsync().AsTask()).ToArray();
        var requests = new List<Frame>();
        for (var i = 0; i < pings.Length; i++)
        {
            requests.Add(await t.Peer.ReadAsync());
        }

        Assert.Distinct(requests.Select(request => request.Length));
        await t.Peer.SendAsync(Frame.Pong(requests[2].Length), Frame.Pong(requests[0].Length));
        await Task.WhenAll(pings[2], pings[0]).Guarded();
        Assert.False(pings[1].IsCompleted);
        await t.Peer.SendAsync(Frame.Pong(requests[1].Length));
        await pings[1].Guarded();
    }

    [Fact]
    public async Task The_end_of_the_session_ends_every_wait()
    {
        await using var t = Scenario.Client(options => options.MaxUnacknowledgedStreams = 1);
        await t.OpenUnacknowledgedAsync();
        var ping = t.Session.PingAsync().AsTask();
        var accept = t.Session.AcceptStreamAsync().AsTask();
        var accept2 = t.Session.AcceptStreamAsync().AsTask();
        var open = t.Session.OpenStreamAsync().AsTask();

        var dispose = t.Session.DisposeAsync();

        await Guard.FailsWithAsync(YamuxErrorCode.SessionClosed, ping);
        await Guard.FailsWithAsync(YamuxErrorCode.SessionClosed, open);
        Assert.Null(await accept.Guarded());
        Assert.Null(await accept2.Guarded());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => t.Session.PingAsync().Guarded());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => t.Session.OpenStreamAsync().Guarded());
        Assert.Null(await t.Session.AcceptStreamAsync().Guarded());
        await t.Session.GoAwayAsync().Guarded();
        await t.Peer.AnswerCloseAsync();
        await dispose.Guarded();
        await t.Session.DisposeAsync().Guarded();
    }

    [Fact]
    public async Task Abort_sends_nothing_more_than_the_transport_has_taken()
    {
        await using var t = Scenario.Stalled();
        var stream = await t.OpenAsync();
        await stream.Output.WriteAsync(new byte[10_000]).Guarded();
        await t.Peer.PeekAsync();
        await stream.Output.WriteAsync(new byte[100_000]).Guarded();

        t.Session.Abort();

        await t.Session.Completion.Guarded();
        await Guard.FailsWithAsync(YamuxErrorCode.SessionClosed, stream.Input.ReadAsync());
        await t.Peer.ExpectAsync(Frame.Data(1, new byte[10_000]));
        await t.Peer.ExpectEndAsync();
    }

    [Fact]
    public async Task Abort_with_a_reason_faults_Completion_with_it()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var reason = new InvalidOperationException("for a reason");

        t.Session.Abort(reason);

        var error = await Guard.FailsWithAsync(YamuxErrorCode.SessionClosed, t.Session.Completion);
        Assert.Same(reason, error.InnerException);
        Assert.Contains("for a reason", error.Message, StringComparison.Ordinal);
        error = await Guard.FailsWithAsync(YamuxErrorCode.SessionClosed, stream.Input.ReadAsync());
        Assert.Same(reason, error.InnerException);
    }

    [Fact]
    public async Task Abort_ends_a_dispose_that_waits_for_a_transport_that_takes_nothing()
    {
        await using var t = Scenario.Stalled();
        await t.Session.OpenStreamAsync().Guarded();
        var dispose = t.Session.DisposeAsync().AsTask();
        Assert.False(dispose.IsCompleted);

        t.Session.Abort();

        await dispose.Guarded();
    }

    [Fact]
    public async Task Each_caller_gets_an_exception_of_its_own()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Rst(1));
        await t.Peer.ExpectNothingAsync();

        var first = await Guard.FailsWithAsync(YamuxErrorCode.StreamReset, stream.Input.ReadAsync());
        var second = await Guard.FailsWithAsync(YamuxErrorCode.StreamReset, stream.Input.ReadAsync());

        Assert.NotSame(first, second);
    }

    [Fact]
    public async Task A_transport_that_fails_for_writing_alone_fails_writes_at_once_and_the_session_in_time()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.ExpectNothingAsync();

        await t.Peer.End.Input.CompleteAsync(new IOException("the cable"));
        await stream.Output.WriteAsync(new byte[1]).Guarded();
        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, stream.Output.WriteAsync(new byte[1]));
        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, t.Session.OpenStreamAsync());
        await t.Peer.SendAsync(Frame.Data(1, [1]));
        Assert.Equal([1], await stream.Input.TakeAsync(1));
        t.Time.Advance(TimeSpan.FromSeconds(10));

        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, t.Session.Completion);
        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, stream.Input.ReadAsync());
    }

    [Fact]
    public async Task Our_transport_is_completed_in_both_directions_when_the_session_has_ended()
    {
        await using var t = Scenario.Client();

        var dispose = t.Session.DisposeAsync();

        await t.Peer.ExpectCloseAsync();
        await dispose.Guarded();
        Assert.True((await t.Peer.End.Output.FlushAsync().Guarded()).IsCompleted);
    }

    [Fact]
    public async Task A_cancelled_read_of_the_transport_does_not_stop_the_session()
    {
        var (ours, theirs) = DuplexPipe.CreatePair();
        await using var session = YamuxSession.Create(ours, YamuxRole.Server);
        var peer = new ScriptedPeer(theirs);
        await peer.ExpectNothingAsync();

        ours.Input.CancelPendingRead();

        await peer.ExpectNothingAsync();
        session.Abort(); // Its disposal would wait for a peer that does not answer.
    }
}
