namespace Yamux.Tests.Accepting;

/// <summary>WIRE, "What we must accept": what is odd and harmless.</summary>
public class ToleranceTests
{
    [Fact]
    public async Task A_WU_of_0_is_normal()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        await t.Peer.SendAsync(Frame.Credit(1, 0), Frame.Credit(1, 0));

        await t.Peer.ExpectNothingAsync();
        await stream.Output.WriteAsync(new byte[] { 1 }).Guarded();
        await t.Peer.ExpectAsync(Frame.Data(1, [1]));
    }

    [Fact]
    public async Task A_WU_after_FIN_is_credit_as_ever()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Fin(1), Frame.Credit(1, 5));
        await stream.Input.ExpectEndAsync();
        await t.Peer.ExpectNothingAsync();

        await stream.Output.WriteAsync(Bytes.Pattern(262_149)).Guarded();

        Assert.Equal(Bytes.Pattern(262_149), await t.Peer.ReadDataAsync(1, 262_149));
    }

    [Fact]
    public async Task WU_and_Data_for_a_stream_that_we_reset_are_dropped_and_drained_and_never_answered()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        stream.Abort();
        await t.Peer.ExpectAsync(Frame.Rst(1));

        await t.Peer.SendAsync(
            Frame.Credit(1, uint.MaxValue), Frame.Data(1, Bytes.Pattern(300_000)), Frame.Data(1, [1], FrameFlag.Fin), Frame.Fin(1), Frame.Rst(1));

        await t.Peer.ExpectNothingAsync();
        await t.OpenAsync();
    }

    [Fact]
    public async Task WU_and_Data_for_a_stream_that_both_ends_closed_are_dropped_and_drained_and_never_answered()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await stream.DisposeAsync().Guarded();
        await t.Peer.SendAsync(Frame.Fin(1));
        await t.Peer.ExpectAsync(Frame.Fin(1));

        await t.Peer.SendAsync(Frame.Credit(1, 7), Frame.Data(1, Bytes.Pattern(300_000)), Frame.Fin(1), Frame.Rst(1));

        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task Data_for_a_stream_that_we_closed_is_drained_until_the_peers_FIN()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await stream.DisposeAsync().Guarded();
        await t.Peer.ExpectAsync(Frame.Fin(1));

        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(100_000)), Frame.Data(1, Bytes.Pattern(100), FrameFlag.Fin));

        await t.Peer.ExpectNothingAsync();
        Assert.Equal(0, t.Session.StreamCount);
    }

    [Fact]
    public async Task Gs_ping_before_the_first_ACK_is_answered()
    {
        await using var t = Scenario.Client();
        await t.OpenUnacknowledgedAsync();

        await t.Peer.SendAsync(Frame.Ping(0), Frame.Ack(1));

        await t.Peer.ExpectAsync(Frame.Pong(0));
    }

    [Fact]
    public async Task An_unsolicited_pong_is_ignored()
    {
        await using var t = Scenario.Client();

        await t.Peer.SendAsync(Frame.Pong(1), Frame.Pong(0), Frame.Pong(uint.MaxValue));

        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_pong_that_comes_twice_is_ignored_the_second_time()
    {
        await using var t = Scenario.Client();
        var ping = t.Session.PingAsync().AsTask();
        var request = await t.Peer.ReadAsync();
        Assert.Equal(Frame.Ping(request.Length), request);

        await t.Peer.SendAsync(Frame.Pong(request.Length), Frame.Pong(request.Length));

        await ping.Guarded();
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_ping_with_both_SYN_and_ACK_or_with_neither_is_ignored()
    {
        await using var t = Scenario.Client();
        var ping = t.EndsWithSession(t.Session.PingAsync());
        var request = await t.Peer.ReadAsync();

        await t.Peer.SendAsync(request with { Flags = FrameFlag.Syn | FrameFlag.Ack }, request with { Flags = FrameFlag.None });

        await t.Peer.ExpectNothingAsync();
        Assert.False(ping.IsCompleted);
    }

    [Fact]
    public async Task Unknown_flag_bits_on_a_stream_frame_are_ignored()
    {
        await using var t = Scenario.Server();
        const FrameFlag Unknown = (FrameFlag)0xFFF0;
        await t.Peer.SendAsync(Frame.Syn(1) with { Flags = FrameFlag.Syn | Unknown });
        var stream = await t.AcceptOpenedAsync(1);

        await t.Peer.SendAsync(Frame.Data(1, [1], Unknown), Frame.Credit(1, 5, Unknown), Frame.Data(1, [2], FrameFlag.Fin | Unknown));

        Assert.Equal([1, 2], await stream.Input.TakeAllAsync());
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_FIN_on_a_stream_that_never_had_a_SYN_is_ignored()
    {
        await using var t = Scenario.Server();

        await t.Peer.SendAsync(Frame.Fin(1), Frame.Fin(2), Frame.Data(7, [1, 2], FrameFlag.Fin));

        await t.Peer.ExpectNothingAsync();
        Assert.Equal(0, t.Session.StreamCount);
        await t.AcceptAsync(1);
    }

    [Fact]
    public async Task SYNs_that_overtake_each_other_open_their_streams()
    {
        await using var t = Scenario.Server();

        foreach (var id in new uint[] { 5, 3, 9, 1, 7, 1 + (2 * 4096), 11, 3 + (2 * 4096) })
        {
            await t.AcceptAsync(id);
        }

        Assert.Equal(8, t.Session.StreamCount);
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_second_FIN_is_logged_and_ignored()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        await t.Peer.SendAsync(Frame.Data(1, [1]), Frame.Fin(1), Frame.Fin(1), Frame.Data(1, [2], FrameFlag.Fin));

        await t.Peer.ExpectNothingAsync();
        Assert.Equal([1], await stream.Input.TakeAllAsync());
        Assert.Equal(2, t.Log.Lines.Count(line => line.Contains("a second FIN", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Data_after_the_peers_FIN_is_dropped()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        await t.Peer.SendAsync(Frame.Data(1, [1]), Frame.Fin(1), Frame.Data(1, [2, 3]));

        await t.Peer.ExpectNothingAsync();
        Assert.Equal([1], await stream.Input.TakeAllAsync());
    }
}
