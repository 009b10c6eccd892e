namespace Yamux.Tests.Sending;

/// <summary>WIRE, "What we send": data.</summary>
public class DataTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    public async Task Up_to_64_KiB_are_one_frame(int count)
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var data = Bytes.Pattern(count);

        await stream.Output.WriteAsync(data).Guarded();

        await t.Peer.ExpectAsync(Frame.Data(1, data));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task One_byte_more_than_64_KiB_is_a_second_frame()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var data = Bytes.Pattern(65_537);

        await stream.Output.WriteAsync(data).Guarded();

        await t.Peer.ExpectAsync(Frame.Data(1, data[..65_536]), Frame.Data(1, data[65_536..]));
    }

    [Fact]
    public async Task The_window_can_be_filled_exactly_and_not_by_one_byte_more()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var data = Bytes.Pattern(262_145);

        var write = stream.Output.WriteAsync(data).AsTask();

        Assert.Equal(data[..262_144], await t.Peer.ReadDataAsync(1, 262_144));
        await t.Peer.ExpectNothingAsync();
        Assert.False(write.IsCompleted);
        await t.Peer.SendAsync(Frame.Credit(1, 1));
        await t.Peer.ExpectAsync(Frame.Data(1, data[262_144..]));
        await write.Guarded();
    }

    [Fact]
    public async Task Each_byte_of_credit_is_used_and_none_more()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var data = Bytes.Pattern(262_144 + 6);
        var write = stream.Output.WriteAsync(data).AsTask();
        await t.Peer.ReadDataAsync(1, 262_144);

        await t.Peer.SendAsync(Frame.Credit(1, 1));
        await t.Peer.ExpectAsync(Frame.Data(1, data[262_144..262_145]));
        await t.Peer.SendAsync(Frame.Credit(1, 2));
        await t.Peer.ExpectAsync(Frame.Data(1, data[262_145..262_147]));
        await t.Peer.ExpectNothingAsync();
        Assert.False(write.IsCompleted);
        await t.Peer.SendAsync(Frame.Credit(1, 100));
        await t.Peer.ExpectAsync(Frame.Data(1, data[262_147..]));
        await write.Guarded();
    }

    [Fact]
    public async Task Credit_on_the_ACK_is_used()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync(credit: 10);
        await t.Peer.ExpectNothingAsync();
        var data = Bytes.Pattern(262_154);

        await stream.Output.WriteAsync(data).Guarded();

        Assert.Equal(data, await t.Peer.ReadDataAsync(1, data.Length));
    }

    [Fact]
    public async Task Credit_on_the_SYN_is_used()
    {
        await using var t = Scenario.Server();
        var stream = await t.AcceptAsync(1, credit: 10);
        var data = Bytes.Pattern(262_154);

        await stream.Output.WriteAsync(data).Guarded();

        Assert.Equal(data, await t.Peer.ReadDataAsync(1, data.Length));
    }

    [Fact]
    public async Task What_is_written_before_one_flush_leaves_as_one_frame()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        for (byte i = 0; i < 10; i++)
        {
            stream.Output.GetSpan(1)[0] = i;
            stream.Output.Advance(1);
        }

        Assert.Equal(10, stream.Output.UnflushedBytes);
        await t.Peer.ExpectNothingAsync();
        await stream.Output.FlushAsync().Guarded();
        await t.Peer.ExpectAsync(Frame.Data(1, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
        Assert.Equal(0, stream.Output.UnflushedBytes);
    }

    [Fact]
    public async Task Writing_or_flushing_nothing_sends_nothing()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        await stream.Output.WriteAsync(ReadOnlyMemory<byte>.Empty).Guarded();
        await stream.Output.FlushAsync().Guarded();
        await stream.AsStream().WriteAsync(ReadOnlyMemory<byte>.Empty).Guarded();

        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task Large_writes_of_two_streams_take_turns_frame_by_frame()
    {
        await using var t = Scenario.Stalled();
        var first = await t.OpenAsync();
        var second = await t.OpenAsync();
        var writes = new[] { first, second }.Select(stream => Task.Run(async () => await stream.Output.WriteAsync(Bytes.Pattern(262_144)))).ToArray();

        var seen = new List<uint>();
        for (var left = 2 * 262_144; left > 0;)
        {
            var frame = await t.Peer.ReadAsync();
            Assert.InRange(frame.Length, 1u, 65_536u);
            left -= frame.Payload.Length;
            seen.Add(frame.StreamId);
        }

        await Task.WhenAll(writes).Guarded();
        Assert.Equal(4, seen.Count(id => id == 1));
        Assert.Equal(4, seen.Count(id => id == 3));
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(1024, true)]
    [InlineData(1025, false)]
    public async Task A_little_on_a_stream_with_nothing_on_its_way_does_not_wait_behind_the_bulk_of_others(int count, bool goes)
    {
        await using var t = Scenario.Stalled();
        var writes = await BlockAsync(t);
        var stream = await t.Session.OpenStreamAsync().Guarded();

        var write = t.EndsWithSession(stream.Output.WriteAsync(new byte[count]));
        var next = t.EndsWithSession((await t.Session.OpenStreamAsync().Guarded()).Output.WriteAsync(new byte[1]));

        Assert.Equal(goes, write.IsCompleted);
        Assert.True(next.IsCompleted);
        Assert.DoesNotContain(writes, bulk => bulk.IsCompleted);
    }

    [Fact]
    public async Task It_has_waited_its_turn_for_the_next()
    {
        await using var t = Scenario.Stalled();
        await BlockAsync(t);
        var stream = await t.Session.OpenStreamAsync().Guarded();

        await stream.Output.WriteAsync(new byte[1]).Guarded();
        var next = t.EndsWithSession(stream.Output.WriteAsync(new byte[1]));

        Assert.False(next.IsCompleted);
    }

    [Fact]
    public async Task Little_has_a_bound_too()
    {
        await using var t = Scenario.Stalled();
        await BlockAsync(t);
        var writes = new List<Task>();
        for (var i = 0; i < 200; i++)
        {
            writes.Add(t.EndsWithSession((await t.Session.OpenStreamAsync().Guarded()).Output.WriteAsync(new byte[1024])));
        }

        // Of the 224 KiB, 128 are the others' bulk; each takes its header as well, and the SYN of its stream.
        Assert.InRange(writes.Count(write => write.IsCompleted), 80, 96);
    }

    // Streams that write more than waits behind a write to a transport that takes nothing.
    private static async Task<List<Task>> BlockAsync(Scenario t)
    {
        var writes = new List<Task>();
        for (var i = 0; i < 20; i++)
        {
            var stream = await t.Session.OpenStreamAsync().Guarded();
            writes.Add(t.EndsWithSession(stream.Output.WriteAsync(new byte[262_144])));
        }

        return writes;
    }
}
