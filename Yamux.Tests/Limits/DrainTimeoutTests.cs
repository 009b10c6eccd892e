namespace Yamux.Tests.Limits;

/// <summary>Closing a stream that has bytes left takes as long as the user allows, however slowly its peer gives credit.</summary>
public class DrainTimeoutTests
{
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
        var (stream, _) = await t.OpenFilledAsync();

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
        var (stream, left) = await t.OpenFilledAsync();

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
    public async Task The_close_timeout_counts_from_the_last_byte_that_the_peer_took()
    {
        await using var t = Scenario.Client();
        var (stream, _) = await t.OpenFilledAsync();
        var disposal = stream.DisposeAsync().AsTask();
        await t.Peer.ExpectNothingAsync();
        t.Time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));

        await t.Peer.SendAsync(Frame.Credit(1, 1));
        await t.Peer.ReadDataAsync(1, 1);
        t.Time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));
        await t.Peer.ExpectNothingAsync();
        t.Time.Advance(TimeSpan.FromMilliseconds(1)); // What a timer can tell apart.

        await t.Peer.ExpectAsync(Frame.Rst(1));
        await disposal.Guarded();
    }

    [Fact]
    public async Task The_close_timeout_begins_anew_no_more_when_StreamDrainTimeout_is_over()
    {
        await using var t = Scenario.Client();
        var (stream, _) = await t.OpenFilledAsync();
        var disposal = stream.DisposeAsync().AsTask();
        await t.Peer.ExpectNothingAsync(); // Its ACK was seen, or the clock would pass StreamOpenTimeout.
        for (var minutes = 4; minutes <= 32; minutes += 4)
        {
            t.Time.Advance(TimeSpan.FromMinutes(4));
            await t.Peer.SendAsync(Frame.Credit(1, 1));
            await t.Peer.ReadDataAsync(1, 1);
            await t.Peer.ExpectNothingAsync();
        }

        t.Time.Advance(TimeSpan.FromMinutes(1) - TimeSpan.FromMilliseconds(1)); // 5 since the last byte within 30.
        await t.Peer.ExpectNothingAsync();
        t.Time.Advance(TimeSpan.FromMilliseconds(1));

        await t.Peer.ExpectAsync(Frame.Rst(1));
        await disposal.Guarded();
    }

    [Fact]
    public async Task CloseAsync_tells_that_its_time_was_over_and_something_is_lost()
    {
        await using var t = Scenario.Client();
        var (stream, _) = await t.OpenFilledAsync();
        var closing = stream.CloseAsync().AsTask();
        await t.Peer.ExpectNothingAsync();

        t.Time.Advance(Close);

        await Guard.FailsWithAsync(YamuxErrorCode.StreamCloseTimeout, closing);
        await t.Peer.ExpectAsync(Frame.Rst(1));
    }
}
