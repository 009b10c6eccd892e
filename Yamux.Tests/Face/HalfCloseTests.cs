namespace Yamux.Tests.Face;

/// <summary>The two directions of a stream close on their own, in any order.</summary>
public class HalfCloseTests
{
    [Fact]
    public async Task We_close_first()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        await stream.Output.WriteAsync(new byte[] { 1 }).Guarded();
        await stream.Output.CompleteAsync();
        await t.Peer.ExpectAsync(Frame.Data(1, [1]), Frame.Fin(1));
        await t.Peer.SendAsync(Frame.Data(1, [2]), Frame.Fin(1));

        Assert.Equal([2], await stream.Input.TakeAllAsync());
        await GoneAsync(t, stream);
    }

    [Fact]
    public async Task The_peer_closes_first()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        await t.Peer.SendAsync(Frame.Data(1, [2]), Frame.Fin(1));
        Assert.Equal([2], await stream.Input.TakeAllAsync());
        Assert.False(stream.Closed.IsCancellationRequested);
        await stream.Output.WriteAsync(new byte[] { 1 }).Guarded();
        await stream.Output.CompleteAsync();

        await t.Peer.ExpectAsync(Frame.Data(1, [1]), Frame.Fin(1));
        await GoneAsync(t, stream);
    }

    [Fact]
    public async Task What_had_arrived_is_readable_after_both_have_closed()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, [1, 2, 3]), Frame.Fin(1));

        await stream.Output.CompleteAsync();
        await t.Peer.ExpectAsync(Frame.Fin(1));
        await GoneAsync(t, stream);

        Assert.Equal([1, 2, 3], await stream.Input.TakeAllAsync());
    }

    [Fact]
    public async Task What_had_arrived_is_readable_after_both_have_closed_and_the_session_has_died()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, [1, 2, 3]), Frame.Fin(1));
        await t.Peer.ExpectNothingAsync();

        t.Session.Abort(new InvalidOperationException("for a reason"));
        await Guard.FailsWithAsync(YamuxErrorCode.SessionClosed, t.Session.Completion);

        Assert.Equal([1, 2, 3], await stream.Input.TakeAllAsync());
    }

    [Fact]
    public async Task Completing_the_input_alone_sends_nothing_and_the_output_goes_on()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        await stream.Input.CompleteAsync();
        await t.Peer.SendAsync(Frame.Data(1, [1]));
        await t.Peer.ExpectNothingAsync();
        await stream.Output.WriteAsync(new byte[] { 2 }).Guarded();
        await t.Peer.ExpectAsync(Frame.Data(1, [2]));
        await t.Peer.SendAsync(Frame.Fin(1));
        await stream.Output.CompleteAsync();

        await t.Peer.ExpectAsync(Frame.Fin(1));
        await GoneAsync(t, stream);
    }

    [Fact]
    public async Task A_completed_output_takes_no_more()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        await stream.Output.CompleteAsync();

        Assert.Throws<InvalidOperationException>(() => stream.Output.GetMemory());
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await stream.Output.WriteAsync(new byte[1]));
        await t.Peer.ExpectAsync(Frame.Fin(1));
    }

    [Fact]
    public async Task A_read_that_waits_fails_when_the_stream_is_disposed()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var read = stream.Input.ReadAsync().AsTask();

        await stream.DisposeAsync().Guarded();

        await Guard.FailsWithAsync(YamuxErrorCode.StreamAborted, read);
        await t.Peer.ExpectAsync(Frame.Fin(1));
    }

    [Fact]
    public async Task An_abort_drops_what_was_not_read()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, [1]));
        await t.Peer.ExpectNothingAsync();
        var reason = new TimeoutException("enough");

        stream.Abort(reason);

        var error = await Guard.FailsWithAsync(YamuxErrorCode.StreamAborted, stream.Input.ReadAsync());
        Assert.Same(reason, error.InnerException);
        error = await Guard.FailsWithAsync(YamuxErrorCode.StreamAborted, stream.Output.FlushAsync());
        Assert.Same(reason, error.InnerException);
        await t.Peer.ExpectAsync(Frame.Rst(1));
        await GoneAsync(t, stream);
    }

    [Fact]
    public async Task TryRead_tells_what_there_is()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        Assert.False(stream.Input.TryRead(out _));

        await t.Peer.SendAsync(Frame.Data(1, [1]));
        await stream.Input.ExamineAsync(1);
        Assert.False(stream.Input.TryRead(out _));
        await t.Peer.SendAsync(Frame.Fin(1));
        await t.Peer.ExpectNothingAsync();

        Assert.True(stream.Input.TryRead(out var result));
        Assert.True(result.IsCompleted);
        Assert.Equal(1, result.Buffer.Length);
    }

    private static async Task GoneAsync(Scenario t, YamuxStream stream)
    {
        await Guard.CancelledAsync(stream.Closed);
        Assert.True(stream.Closed.IsCancellationRequested);
        Assert.Equal(0, t.Session.StreamCount);
    }
}
