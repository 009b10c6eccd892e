namespace Yamux.Tests.Limits;

/// <summary>Closing a stream that has bytes left takes as long as the user allows, however slowly its peer gives credit.</summary>
public class DrainTimeoutTests
{
    private const int Window = 262_144;
    private static readonly TimeSpan Close = TimeSpan.FromMinutes(5);

    [Theory]
    [InlineData(1)]
    [InlineData(12)]
    [InlineData(30)]
    public async Task A_byte_of_credit_every_five_minutes_does_not_keep_a_disposal_beyond_StreamDrainTimeout_and_one_step(int minutes)
    {
        var drain = TimeSpan.FromMinutes(minutes);
        var step = Close - TimeSpan.FromMilliseconds(1);
        await using var t = Scenario.Client(options => options.StreamDrainTimeout = drain);
        var (stream, _) = await FillAsync(t);

        var disposal = stream.DisposeAsync().AsTask();
        await t.Peer.ExpectNothingAsync();
        var elapsed = TimeSpan.Zero;
        do
        {
            Assert.False(disposal.IsCompleted);
            t.Time.Advance(step);
            elapsed += step;
            await t.Peer.SendAsync(Frame.Credit(1, 1));
        }
        while (await t.Peer.ReadAsync() is var frame && frame.Kind == FrameKind.Data && elapsed < TimeSpan.FromHours(2));

        await disposal.Guarded();
        Assert.InRange(elapsed, drain, drain + Close + step);
        Assert.Equal(0, t.Session.StreamCount);
    }

    [Fact]
    public async Task Without_StreamDrainTimeout_a_disposal_goes_on_while_credit_comes()
    {
        await using var t = Scenario.Client(options => options.StreamDrainTimeout = Timeout.InfiniteTimeSpan);
        var (stream, left) = await FillAsync(t);

        var disposal = stream.DisposeAsync().AsTask();
        await t.Peer.ExpectNothingAsync();
        for (var i = 0; i < left; i++)
        {
            t.Time.Advance(Close - TimeSpan.FromMilliseconds(1));
            await t.Peer.SendAsync(Frame.Credit(1, 1));
            await t.Peer.ReadDataAsync(1, 1);
        }

        await t.Peer.ExpectAsync(Frame.Fin(1));
        await disposal.Guarded();
    }

    [Fact]
    public async Task CloseAsync_ends_with_its_token_and_the_stream_is_aborted()
    {
        await using var t = Scenario.Client();
        var (stream, _) = await FillAsync(t);
        using var cancellation = new CancellationTokenSource();
        var closing = stream.CloseAsync(cancellation.Token).AsTask();
        await t.Peer.ExpectNothingAsync();
        Assert.False(closing.IsCompleted);

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => closing.Guarded());
        await t.Peer.ExpectAsync(Frame.Rst(1));
        Assert.Equal(0, t.Session.StreamCount);
    }

    [Fact]
    public async Task CloseAsync_tells_that_its_time_was_over_and_something_is_lost()
    {
        await using var t = Scenario.Client();
        var (stream, _) = await FillAsync(t);
        var closing = stream.CloseAsync().AsTask();
        await t.Peer.ExpectNothingAsync();

        t.Time.Advance(Close);

        await Guard.FailsWithAsync(YamuxErrorCode.StreamCloseTimeout, closing);
        await t.Peer.ExpectAsync(Frame.Rst(1));
    }

    [Fact]
    public async Task CloseAsync_ends_when_all_is_sent_and_does_not_wait_for_the_peer_to_close()
    {
        await using var t = Scenario.Client();
        var (stream, left) = await FillAsync(t);
        var closing = stream.CloseAsync().AsTask();

        await t.Peer.SendAsync(Frame.Credit(1, (uint)left));

        await t.Peer.ReadDataAsync(1, left);
        await t.Peer.ExpectAsync(Frame.Fin(1));
        await closing.Guarded();
        Assert.Equal(1, t.Session.StreamCount);
    }

    // A stream that has sent a window, and has a few bytes left to send.
    private static async Task<(YamuxStream Stream, int Left)> FillAsync(Scenario t)
    {
        const int Left = 20;
        var stream = await t.OpenAsync();
        await stream.Output.WriteAsync(new byte[Window]).Guarded();
        await t.Peer.ReadDataAsync(1, Window);
        stream.Output.GetSpan(Left);
        stream.Output.Advance(Left);
        return (stream, Left);
    }
}
