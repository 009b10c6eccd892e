namespace Yamux.Tests.Accepting;

/// <summary>WIRE, "What we must accept": one frame for a whole window, delivered as it arrives.</summary>
public class LargeFrameTests
{
    [Fact]
    public async Task A_frame_as_large_as_the_window_is_delivered_in_pieces_as_it_arrives()
    {
        await using var t = Scenario.Client(options => options.FixWindows(16 * 1024 * 1024));
        var stream = await t.OpenAsync();
        var data = Bytes.Pattern(16 * 1024 * 1024);
        await t.Peer.SendAsync(Frame.DataHeader(1, (uint)data.Length));

        for (var sent = 0; sent < data.Length; sent += 1024 * 1024)
        {
            var piece = data.AsMemory(sent, 1024 * 1024);
            await t.Peer.SendRawAsync(piece);
            Bytes.AssertSame(piece.ToArray(), await stream.Input.TakeAsync(piece.Length));
        }

        // For each 2 MiB, or for some of them together: nothing is lent, for what the reader waits for is on its way.
        var credits = await t.Peer.ReadAllAsync();
        Assert.All(credits, frame => Assert.Equal((Frame.Credit(1, frame.Length), 0u), (frame, frame.Length % (2 * 1024 * 1024))));
        Assert.Equal(16 * 1024 * 1024, credits.Sum(frame => frame.Length));
    }

    [Fact]
    public async Task The_first_bytes_of_a_frame_are_readable_while_the_rest_has_not_come()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        await t.Peer.SendAsync(Frame.DataHeader(1, 262_144));
        await t.Peer.SendRawAsync(new byte[] { 7 });

        Assert.Equal([7], await stream.Input.TakeAsync(1));
    }

    [Fact]
    public async Task The_credit_of_a_frame_is_taken_when_its_header_comes()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var data = Bytes.Pattern(262_144);
        await t.Peer.SendAsync(Frame.DataHeader(1, 262_144));
        await t.Peer.SendRawAsync(data.AsMemory(0, 131_072));
        await stream.Input.TakeAsync(131_072);
        await t.Peer.ExpectAsync(Frame.Credit(1, 131_072));
        await t.Peer.SendRawAsync(data.AsMemory(131_072));

        await t.Peer.SendAsync(Frame.DataHeader(1, 131_073));

        await t.ExpectProtocolErrorAsync("a frame of 131073 bytes came on stream 1, which had 131072 bytes of credit");
    }

    [Fact]
    public async Task A_stream_that_is_reset_here_in_the_middle_of_a_frame_drains_the_rest_of_it()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var other = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.DataHeader(1, 1000));
        await t.Peer.SendRawAsync(Bytes.Pattern(10));
        await stream.Input.TakeAsync(10);

        stream.Abort();
        await t.Peer.ExpectAsync(Frame.Rst(1));
        await t.Peer.SendRawAsync(Bytes.Pattern(990));
        await t.Peer.SendAsync(Frame.Data(other.Id, [1]));

        Assert.Equal([1], await other.Input.TakeAsync(1));
        await t.Peer.ExpectNothingAsync();
    }
}
