namespace Yamux.Tests.Accepting;

/// <summary>WIRE, "What we must accept": SYN, ACK, FIN and RST on either type of frame.</summary>
public class FlagTests
{
    [Fact]
    public async Task SYN_on_Data_opens_a_stream_and_its_payload_is_delivered()
    {
        await using var t = Scenario.Server();

        await t.Peer.SendAsync(Frame.Data(1, [1, 2, 3], FrameFlag.Syn));

        var stream = await t.AcceptOpenedAsync(1);
        Assert.Equal([1, 2, 3], await stream.Input.TakeAsync(3));
    }

    [Fact]
    public async Task SYN_and_FIN_on_one_Data_frame_are_a_whole_stream()
    {
        await using var t = Scenario.Server();

        await t.Peer.SendAsync(Frame.Data(1, [1, 2, 3], FrameFlag.Syn | FrameFlag.Fin), Frame.Data(3, [], FrameFlag.Syn | FrameFlag.Fin));

        Assert.Equal([1, 2, 3], await (await t.AcceptOpenedAsync(1)).Input.TakeAllAsync());
        await (await t.AcceptOpenedAsync(3)).Input.ExpectEndAsync();
    }

    [Fact]
    public async Task SYN_on_Data_may_fill_the_whole_window()
    {
        await using var t = Scenario.Server();

        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(262_144), FrameFlag.Syn));

        Assert.Equal(Bytes.Pattern(262_144), await (await t.AcceptOpenedAsync(1)).Input.TakeAsync(262_144));
    }

    [Theory]
    [InlineData(FrameKind.Data)]
    [InlineData(FrameKind.WindowUpdate)]
    public async Task ACK_on_any_frame_is_an_acknowledgement(FrameKind kind)
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenUnacknowledgedAsync();

        await t.Peer.SendAsync(new Frame(kind, FrameFlag.Ack, 1, 0), Frame.Data(1, [9], FrameFlag.Ack));
        Assert.Equal([9], await stream.Input.TakeAsync(1));
        t.Time.Advance(TimeSpan.FromSeconds(75));

        Assert.Equal(1, t.Session.StreamCount);
    }

    [Fact]
    public async Task Data_FIN_ACK_of_length_0_is_acknowledgement_and_end()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenUnacknowledgedAsync();

        await t.Peer.SendAsync(Frame.Data(1, [], FrameFlag.Fin | FrameFlag.Ack));

        await stream.Input.ExpectEndAsync();
        t.Time.Advance(TimeSpan.FromSeconds(75));
        await stream.Output.WriteAsync(new byte[] { 1 }).Guarded();
    }

    [Fact]
    public async Task FIN_with_a_payload_delivers_the_payload_and_then_the_end()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        await t.Peer.SendAsync(Frame.Data(1, [1, 2, 3], FrameFlag.Fin));

        Assert.Equal([1, 2, 3], await stream.Input.TakeAllAsync());
        await stream.Input.ExpectEndAsync();
    }

    [Fact]
    public async Task FIN_with_a_payload_is_no_end_before_the_whole_payload_has_come()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var frame = Frame.Data(1, [1, 2, 3], FrameFlag.Fin).ToBytes();

        await t.Peer.SendRawAsync(frame.AsMemory(0, 14));
        var read = await stream.Input.ReadAtLeastAsync(2).Guarded();
        Assert.Equal((2, false), (read.Buffer.Length, read.IsCompleted));
        stream.Input.AdvanceTo(read.Buffer.End);
        var last = stream.Input.ReadAsync().AsTask();
        Assert.False(last.IsCompleted);
        await t.Peer.SendRawAsync(frame.AsMemory(14));

        Assert.Equal(1, (await last.Guarded()).Buffer.Length);
        stream.Input.AdvanceTo((await last).Buffer.End);
        await stream.Input.ExpectEndAsync();
    }

    [Fact]
    public async Task FIN_with_a_WU_gives_its_credit_too()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        await t.Peer.SendAsync(Frame.Credit(1, 10, FrameFlag.Fin));
        await stream.Input.ExpectEndAsync();

        await stream.Output.WriteAsync(Bytes.Pattern(262_154)).Guarded();
        Assert.Equal(Bytes.Pattern(262_154), await t.Peer.ReadDataAsync(1, 262_154));
    }

    [Fact]
    public async Task RST_on_WU_fails_both_directions_after_what_had_arrived()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        await t.Peer.SendAsync(Frame.Data(1, [1, 2]), Frame.Credit(1, 55, FrameFlag.Rst));
        await t.Peer.ExpectNothingAsync();

        Assert.Equal([1, 2], await stream.Input.TakeAsync(2));
        await Guard.FailsWithAsync(YamuxErrorCode.StreamReset, stream.Input.ReadAsync());
        await Guard.FailsWithAsync(YamuxErrorCode.StreamReset, stream.Output.WriteAsync(new byte[1]));
        await Guard.CancelledAsync(stream.Closed);
        Assert.Equal(0, t.Session.StreamCount);
    }

    [Fact]
    public async Task RST_on_Data_drains_its_payload()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        await t.Peer.SendAsync(Frame.Data(1, Frame.GoAway(1).ToBytes(), FrameFlag.Rst));

        await t.Peer.ExpectNothingAsync();
        await Guard.FailsWithAsync(YamuxErrorCode.StreamReset, stream.Input.ReadAsync());
    }

    [Fact]
    public async Task SYN_with_RST_is_a_stream_that_never_was()
    {
        await using var t = Scenario.Server();

        await t.Peer.SendAsync(Frame.Credit(1, 0, FrameFlag.Syn | FrameFlag.Rst), Frame.Data(3, [1, 2], FrameFlag.Syn | FrameFlag.Rst));

        await t.Peer.ExpectNothingAsync();
        Assert.Equal(0, t.Session.StreamCount);
        await t.AcceptAsync(5);
    }

    [Fact]
    public async Task A_peer_that_never_sends_an_ACK_is_written_to_and_read_from_all_the_same()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenUnacknowledgedAsync();

        await stream.Output.WriteAsync(new byte[] { 1 }).Guarded();
        await t.Peer.ExpectAsync(Frame.Data(1, [1]));
        await t.Peer.SendAsync(Frame.Data(1, [2]));
        Assert.Equal([2], await stream.Input.TakeAsync(1));
        t.Time.Advance(TimeSpan.FromMinutes(1.25));

        await stream.Output.WriteAsync(new byte[] { 3 }).Guarded();
    }
}
