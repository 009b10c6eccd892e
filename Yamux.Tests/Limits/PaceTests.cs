namespace Yamux.Tests.Limits;

/// <summary>What a session does until it knows that its link is fast, and where it is slow: it writes little at a time, and has the peer tell that it moves.</summary>
public class PaceTests
{
    private const int PerProbe = 32 * 1024;

    [Fact]
    public async Task The_first_writes_are_of_16_KiB()
    {
        await using var t = Scenario.Stalled();
        var stream = await t.OpenAsync();
        _ = t.EndsWithSession(stream.Output.WriteAsync(new byte[100_000]));

        var read = await t.Peer.End.Input.ReadAsync().Guarded();

        Assert.Equal(16 * 1024, read.Buffer.Length);
        t.Peer.End.Input.AdvanceTo(read.Buffer.End);
    }

    [Fact]
    public async Task A_ping_stands_between_every_32_KiB_while_the_pace_is_not_known()
    {
        await using var t = Scenario.Stalled(configure: options => options.EnableKeepAlive = true);
        var stream = await t.OpenAsync();
        _ = t.EndsWithSession(stream.Output.WriteAsync(new byte[PerProbe - 1]));
        _ = t.EndsWithSession(stream.Output.WriteAsync(new byte[1]));
        _ = t.EndsWithSession(stream.Output.WriteAsync(new byte[PerProbe]));

        Assert.Equal([PerProbe - 1, 1, 0, PerProbe, 0], await ReadAsync(t, 2 * PerProbe, pings: 2));
    }

    [Fact]
    public async Task There_is_none_once_writes_end_soon_and_there_are_again_when_one_takes_long()
    {
        await using var t = Scenario.Stalled(configure: options => options.EnableKeepAlive = true);
        var stream = await t.OpenAsync(credit: 2_000_000);
        await t.Peer.SendAsync(Frame.Credit(1, 1));
        for (var i = 0; i < 10; i++)
        {
            await WriteAndReadAsync(t, stream, 100_000);
        }

        Assert.Equal(0, await WriteAndReadAsync(t, stream, 100_000));
        Assert.Equal(0, await WriteAndReadAsync(t, stream, 100_000, TimeSpan.FromSeconds(2)));
        Assert.NotEqual(0, await WriteAndReadAsync(t, stream, 100_000));
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(65_536)]
    public async Task There_is_none_after_768_KiB_whatever_the_size_of_writes(int size)
    {
        await using var t = Scenario.Client(options => options.EnableKeepAlive = true);
        var stream = await t.OpenAsync(credit: 2_000_000);
        await t.Peer.SendAsync(Frame.Credit(1, 1));
        var pings = 0;
        for (var sent = 0; sent < 800_000; sent += size)
        {
            pings += await WriteAndReadAsync(t, stream, size);
        }

        Assert.InRange(pings, 1, 24);
        for (var sent = 0; sent < 200_000; sent += size)
        {
            Assert.Equal(0, await WriteAndReadAsync(t, stream, size));
        }
    }

    [Fact]
    public async Task Where_a_write_took_long_frames_are_small_until_writes_end_soon_again()
    {
        await using var t = Scenario.Stalled();
        var stream = await t.OpenAsync(credit: 2_000_000);
        await t.Peer.SendAsync(Frame.Credit(1, 1));
        await WriteAndReadAsync(t, stream, 1000, TimeSpan.FromMilliseconds(251));
        _ = t.EndsWithSession(stream.Output.WriteAsync(new byte[2_000_000]));
        await t.Peer.PeekAsync();
        var ping = t.EndsWithSession(t.Session.PingAsync());

        var frames = new List<Frame> { await t.Peer.ReadAsync(), await t.Peer.ReadAsync() };
        Assert.Equal([FrameKind.Data, FrameKind.Ping], frames.Select(frame => frame.Kind));
        Assert.InRange(frames[0].Payload.Length, 4000, 8192);
        while (frames[^1].Payload.Length != 65_536)
        {
            frames.Add(await t.Peer.ReadAsync());
        }
    }

    [Fact]
    public async Task Without_keepalive_there_is_none()
    {
        await using var t = Scenario.Stalled();
        var stream = await t.OpenAsync();
        _ = t.EndsWithSession(stream.Output.WriteAsync(new byte[2 * PerProbe]));

        Assert.Equal([2 * PerProbe], await ReadAsync(t, 2 * PerProbe, pings: 0));
        await t.Peer.ExpectNothingAsync();
    }

    // How many pings there are between so many bytes, which the transport takes after a time.
    private static async Task<int> WriteAndReadAsync(Scenario t, YamuxStream stream, int count, TimeSpan after = default)
    {
        _ = t.EndsWithSession(stream.Output.WriteAsync(new byte[count]));
        await t.Peer.PeekAsync();
        t.Time.Advance(after);
        var left = count;
        var pings = 0;
        while (left > 0)
        {
            var frame = await t.Peer.ReadAsync();
            left -= frame.Payload.Length;
            pings += frame.Kind == FrameKind.Ping ? 1 : 0;
        }

        return pings;
    }

    // The payloads of the Data frames, and 0 for a ping.
    private static async Task<List<int>> ReadAsync(Scenario t, int count, int pings)
    {
        var frames = new List<int>();
        while (frames.Sum() < count || frames.Count(length => length == 0) < pings)
        {
            var frame = await t.Peer.ReadAsync();
            Assert.Contains(frame.Kind, new[] { FrameKind.Data, FrameKind.Ping });
            frames.Add(frame.Payload.Length);
        }

        return frames;
    }
}
