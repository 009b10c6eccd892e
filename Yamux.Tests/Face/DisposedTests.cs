namespace Yamux.Tests.Face;

/// <summary>A stream or a session that is used after its disposal. What the peer or the transport had done before is told instead.</summary>
public class DisposedTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stream_that_was_disposed_cannot_be_read_or_written(bool asStream)
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        await (asStream ? stream.AsStream().DisposeAsync() : stream.DisposeAsync()).Guarded();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => stream.Input.ReadAsync().Guarded());
        Assert.Throws<ObjectDisposedException>(() => stream.Input.TryRead(out _));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => stream.Output.WriteAsync(new byte[1]).Guarded());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => stream.WriteAsync(new byte[1]).Guarded());
        Assert.Throws<ObjectDisposedException>(() => stream.Output.GetSpan());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => stream.AsStream().ReadAsync(new byte[1]).Guarded());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_Stream_says_that_it_was_disposed(bool synchronously)
    {
        await using var t = Scenario.Client();
        var stream = (await t.OpenAsync()).AsStream();
        Assert.True(stream.CanRead && stream.CanWrite);

        if (synchronously)
        {
            stream.Dispose();
        }
        else
        {
            await stream.DisposeAsync().Guarded();
        }

        Assert.False(stream.CanRead || stream.CanWrite);
    }

    [Fact]
    public async Task What_ends_a_stream_can_be_called_after_its_disposal()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await stream.DisposeAsync().Guarded();

        await stream.DisposeAsync().Guarded();
        await stream.CloseAsync().Guarded();
        stream.AbortRead();
        await stream.Input.CompleteAsync();
        await stream.Output.CompleteAsync().Guarded();
        stream.Input.CancelPendingRead();
        stream.Output.CancelPendingFlush();
        stream.Abort();
        Assert.Equal(1u, stream.Id);
    }

    [Fact]
    public async Task A_stream_that_was_reset_before_its_disposal_tells_that()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Rst(1));
        await t.Peer.ExpectNothingAsync();

        await stream.DisposeAsync().Guarded();

        await Guard.FailsWithAsync(YamuxErrorCode.StreamReset, stream.Input.ReadAsync());
        await Guard.FailsWithAsync(YamuxErrorCode.StreamReset, stream.Output.WriteAsync(new byte[1]));
    }

    [Fact]
    public async Task A_stream_of_a_disposed_session_tells_that_its_session_was_closed()
    {
        await using var pair = SessionPair.OverPipes();
        var (client, _) = (await pair.OpenAsync(1))[0];

        await pair.Client.DisposeAsync().Guarded();

        await Guard.FailsWithAsync(YamuxErrorCode.SessionClosed, client.Input.ReadAsync());
        await Guard.FailsWithAsync(YamuxErrorCode.SessionClosed, client.Output.WriteAsync(new byte[1]));
    }

    [Fact]
    public async Task A_session_that_had_ended_before_its_disposal_tells_why()
    {
        await using var t = Scenario.Client();
        t.Peer.Close();
        await t.Session.Completion.Guarded();

        await t.Session.DisposeAsync().Guarded();

        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, t.Session.OpenStreamAsync());
        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, t.Session.PingAsync());
    }

    [Fact]
    public async Task A_session_that_was_closed_and_not_disposed_tells_that_it_was_closed()
    {
        await using var pair = SessionPair.OverPipes();

        await pair.Client.CloseAsync(TimeSpan.Zero).Guarded();

        await Guard.FailsWithAsync(YamuxErrorCode.SessionClosed, pair.Client.OpenStreamAsync());
        await pair.Client.DisposeAsync().Guarded();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => pair.Client.OpenStreamAsync().Guarded());
    }
}
