namespace Yamux.Tests.Sending;

/// <summary>What is small does not stand behind bulk, and what one stream says stays in order.</summary>
public class OvertakingTests
{
    public static TheoryData<string> Controls => ["ping", "pong", "credit", "SYN", "ACK", "FIN", "RST", "little Data"];

    [Theory]
    [MemberData(nameof(Controls))]
    public async Task It_leaves_behind_the_frame_that_is_under_way_and_before_all_other_bulk(string what)
    {
        await using var t = Scenario.Stalled();
        var other = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, new byte[131_072]), Frame.Syn(2));
        var bulk = await SendBulkAsync(t);

        var expected = await SayAsync(t, other, what);

        var frames = await ReadUntilAsync(t, expected);
        Assert.Equal(1, frames.Count(frame => frame.StreamId == bulk.Id));
    }

    [Fact]
    public async Task A_frame_that_was_begun_is_not_interrupted()
    {
        await using var t = Scenario.Stalled();
        var bulk = await SendBulkAsync(t);
        var ping = t.EndsWithSession(t.Session.PingAsync());

        var frame = await t.Peer.ReadAsync();

        Assert.Equal(Frame.Data(bulk.Id, Bytes.Pattern(262_144)[..65_536]), frame);
        Assert.Equal(FrameKind.Ping, (await t.Peer.ReadAsync()).Kind);
        Assert.False(ping.IsCompleted);
    }

    [Fact]
    public async Task Little_does_not_overtake_the_bulk_of_its_own_stream_nor_does_FIN()
    {
        await using var t = Scenario.Stalled();
        await SendBulkAsync(t, 65_536);
        var stream = await t.Session.OpenStreamAsync().Guarded();
        await stream.Output.WriteAsync(Bytes.Pattern(2000)).Guarded();
        await stream.Output.WriteAsync(new byte[] { 7 }).Guarded();
        stream.Output.Complete();

        await ReadUntilAsync(t, Frame.Syn(stream.Id));
        var frames = await ReadUntilAsync(t, Frame.Fin(stream.Id));
        Assert.Equal([.. Bytes.Pattern(2000), 7], frames.SelectMany(frame => frame.Payload));
    }

    [Fact]
    public async Task Data_of_a_new_stream_stands_behind_its_SYN_however_large_it_is()
    {
        await using var t = Scenario.Stalled();
        await SendBulkAsync(t);
        for (var i = 0; i < 10; i++)
        {
            var stream = await t.Session.OpenStreamAsync().Guarded();
            _ = t.EndsWithSession(stream.Output.WriteAsync(new byte[i % 2 == 0 ? 1 : 2000]));
            t.Peer.End.Input.TryRead(out var read);
            t.Peer.End.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End); // The write under way ends, and the next one begins.
        }

        var opened = new List<uint>();
        for (var left = 5 + 10_000; left > 0;)
        {
            var frame = await t.Peer.ReadAsync();
            if (frame.Flags == FrameFlag.Syn)
            {
                opened.Add(frame.StreamId);
            }
            else if (frame.StreamId != 1)
            {
                Assert.Contains(frame.StreamId, opened);
                left -= frame.Payload.Length;
            }
        }

        Assert.Equal(opened.Order(), opened);
    }

    [Fact]
    public async Task What_an_aborted_stream_had_queued_is_not_sent_and_nothing_follows_its_RST()
    {
        await using var t = Scenario.Stalled();
        var aborted = await t.OpenAsync();
        var others = new[] { await t.OpenAsync(), await t.OpenAsync() };
        await SendBulkAsync(t, 65_536);
        for (var i = 0; i < 3; i++)
        {
            await aborted.Output.WriteAsync(new byte[2000]).Guarded();
            foreach (var other in others)
            {
                await other.Output.WriteAsync(new byte[2000]).Guarded();
            }
        }

        aborted.Abort();

        var frames = new List<Frame>();
        while (frames.Where(frame => frame.StreamId == others[1].Id).Sum(frame => frame.Payload.Length) < 6000)
        {
            frames.Add(await t.Peer.ReadAsync());
        }

        Assert.Equal([Frame.Rst(aborted.Id)], frames.Where(frame => frame.StreamId == aborted.Id));
        Assert.Equal(6000, frames.Where(frame => frame.StreamId == others[0].Id).Sum(frame => frame.Payload.Length));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task What_a_stream_had_queued_that_the_peer_resets_is_not_sent()
    {
        await using var t = Scenario.Stalled();
        var reset = await t.OpenAsync();
        var other = await t.OpenAsync();
        await SendBulkAsync(t, 65_536);
        for (var i = 0; i < 3; i++)
        {
            await reset.Output.WriteAsync(new byte[2000]).Guarded();
            await other.Output.WriteAsync(new byte[2000]).Guarded();
        }

        await t.Peer.SendAsync(Frame.Rst(reset.Id));
        await Assert.ThrowsAsync<YamuxException>(() => reset.Input.ReadAsync().Guarded());

        var frames = new List<Frame>();
        while (frames.Where(frame => frame.StreamId == other.Id).Sum(frame => frame.Payload.Length) < 6000)
        {
            frames.Add(await t.Peer.ReadAsync());
        }

        Assert.DoesNotContain(frames, frame => frame.StreamId == reset.Id);
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task The_last_frame_of_a_session_stands_behind_all_bulk()
    {
        await using var t = Scenario.Stalled();
        var stream = await t.OpenAsync();
        await stream.Output.WriteAsync(new byte[65_536]).Guarded();
        await stream.Output.WriteAsync(new byte[65_536]).Guarded();
        _ = t.EndsWithSession(t.Session.PingAsync());

        var disposal = t.Session.DisposeAsync().AsTask();

        var frames = await ReadUntilAsync(t, Frame.GoAway(0));
        Assert.Equal(131_072, frames.Sum(frame => frame.Payload.Length));
        Assert.Contains(frames, frame => frame.Kind == FrameKind.Ping);
        var last = await t.Peer.ReadAsync();
        await t.Peer.SendAsync(Frame.Pong(last.Length));
        await disposal.Guarded();
    }

    [Fact]
    public async Task Many_small_writes_of_one_stream_do_not_keep_the_bulk_of_another_waiting()
    {
        await using var t = Scenario.Stalled();
        var bulk = await SendBulkAsync(t);
        var chatty = await t.Session.OpenStreamAsync().Guarded();
        var small = new List<Task>();
        var between = 0;
        for (var left = 262_144; left > 0;)
        {
            while (small.Count == 0 || small[^1].IsCompleted)
            {
                small.Add(t.EndsWithSession(chatty.Output.WriteAsync(new byte[100])));
            }

            var frame = await t.Peer.ReadAsync();
            left -= frame.StreamId == bulk.Id ? frame.Payload.Length : 0;
            between += frame.StreamId == chatty.Id ? frame.Payload.Length : 0;
        }

        Assert.InRange(between, 100, 262_144);
    }

    [Fact]
    public async Task Frames_that_the_peer_provokes_without_end_do_not_keep_bulk_waiting()
    {
        await using var t = Scenario.Stalled();
        var bulk = await SendBulkAsync(t);
        var pongs = 0;
        await t.Peer.SendAsync(Enumerable.Repeat(Frame.Ping(1), 100));
        for (var left = 262_144; left > 0;)
        {
            var frame = await t.Peer.ReadAsync();
            left -= frame.StreamId == bulk.Id ? frame.Payload.Length : 0;
            if (frame.Kind == FrameKind.Ping)
            {
                pongs++;
                await t.Peer.SendAsync(Frame.Ping(1));
            }

            Assert.InRange(pongs, 0, 1000);
        }
    }

    // By default more than fits into the queue, and the first of it is under way.
    private static async Task<YamuxStream> SendBulkAsync(Scenario t, int count = 262_144)
    {
        var stream = await t.OpenAsync();
        _ = t.EndsWithSession(stream.Output.WriteAsync(Bytes.Pattern(count)));
        await t.WriteStartedAsync();
        return stream;
    }

    private static async Task<Frame> SayAsync(Scenario t, YamuxStream stream, string what)
    {
        switch (what)
        {
            case "ping":
                _ = t.EndsWithSession(t.Session.PingAsync());
                return Frame.Ping(1);
            case "pong":
                await t.Peer.SendAsync(Frame.Ping(77), Frame.Data(1, [1]));
                await stream.Input.TakeAsync(131_073); // So that the ping has come.
                return Frame.Pong(77);
            case "credit":
                await stream.Input.TakeAsync(131_072);
                return Frame.Credit(1, 131_072);
            case "SYN":
                return Frame.Syn((await t.Session.OpenStreamAsync().Guarded()).Id);
            case "ACK":
                return Frame.Ack((await t.Session.AcceptStreamAsync().Guarded())!.Id);
            case "FIN":
                stream.Output.Complete();
                return Frame.Fin(stream.Id);
            case "RST":
                stream.Abort();
                return Frame.Rst(stream.Id);
            default:
                await stream.Output.WriteAsync(new byte[] { 1 }).Guarded();
                return Frame.Data(stream.Id, [1]);
        }
    }

    private static async Task<List<Frame>> ReadUntilAsync(Scenario t, Frame last)
    {
        var frames = new List<Frame>();
        while (await t.Peer.ReadAsync() is var frame && (frame.Kind, frame.Flags, frame.StreamId) != (last.Kind, last.Flags, last.StreamId))
        {
            frames.Add(frame);
        }

        return frames;
    }
}
