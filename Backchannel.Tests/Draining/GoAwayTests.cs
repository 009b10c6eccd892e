using Backchannel.Tests.Authority;
using Backchannel.Tests.Draining.Kit;
using Backchannel.Tests.Kit;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Backchannel.Tests.Draining;

/// <summary>One end leaves, or both, and an HTTP handler hears of that once: what the peer says of its requests is told of each.</summary>
public class GoAwayTests
{
    [Theory]
    [InlineData(true, 1000)]
    [InlineData(true, 1)]
    [InlineData(false, 1000)]
    [InlineData(false, 1)]
    public async Task A_handler_hears_one_GOAWAY_whichever_end_leaves_first(bool peerFirst, int piece)
    {
        await using var lent = await LentPair.CreateAsync();
        await lent.Stream.WriteAsync(LentPair.Request).Guarded();
        byte[] goAway = Http2Frames.Frame(Http2Frames.GoAway, 0, 0, [0, 0, 0, 1, .. new byte[26]]);
        byte[] data = Http2Frames.Frame(Http2Frames.Data, 0, 1, new byte[20]);
        var read = new MemoryStream();
        await SendAsync(LentPair.Settings);
        await ReadAsync(LentPair.Settings.Length);

        if (peerFirst)
        {
            await SendAsync([.. goAway, .. data]);
            await ReadAsync(LentPair.GoAwaySize + data.Length);
            lent.Streams.Close("test");
            await SendAsync([.. goAway, .. data]);
            await ReadAsync(data.Length);
        }
        else
        {
            lent.Streams.Close("test");
            await ReadAsync(LentPair.GoAwaySize);
            foreach (var frame in (byte[][])[data, goAway, data, goAway])
            {
                await SendAsync(frame);
            }

            await lent.Server.PingAsync(TestContext.Current.CancellationToken).Guarded(); // All of it waits to be read.
            await ReadAsync(2 * data.Length);
        }

        await lent.Peer.Output.CompleteAsync().Guarded();
        Assert.Empty(await lent.ReadToEndAsync(0));
        Assert.Equal([.. LentPair.Settings, .. LentPair.OurGoAway, .. data, .. data], read.ToArray());
        Assert.True(lent.LeavingCount > 0);

        async Task SendAsync(byte[] bytes)
        {
            foreach (var part in bytes.Chunk(piece))
            {
                await lent.Peer.Output.WriteAsync(part).Guarded();
            }
        }

        async Task ReadAsync(int count)
        {
            var bytes = new byte[count];
            await lent.Stream.ReadExactlyAsync(bytes).Guarded();
            read.Write(bytes);
        }
    }

    [Theory]
    [InlineData(true, 1000)]
    [InlineData(true, 1)]
    [InlineData(false, 1000)]
    [InlineData(false, 1)]
    public async Task Requests_that_the_second_GOAWAY_leaves_out_are_refused_one_by_one(bool peerFirst, int piece)
    {
        await using var lent = await LentPair.CreateAsync();
        await lent.BeginAsync();
        byte[] goAway = Http2Frames.Frame(Http2Frames.GoAway, 0, 0, [0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
        byte[] requests =
        [
            .. Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndHeaders, 3, [0x82]),
            .. Http2Frames.Frame(Http2Frames.Data, 0, 3, new byte[50]),
            .. Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndHeaders, 5, [0x82]),
            .. Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndHeaders | Http2Frames.EndStream, 3, [0x82]), // Trailers.
            .. Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndHeaders, 7, [0x82]),
        ];
        foreach (var part in requests.Chunk(piece))
        {
            await lent.Stream.WriteAsync(part).Guarded();
        }

        if (peerFirst)
        {
            await lent.Peer.Output.WriteAsync(goAway).Guarded();
            await lent.Stream.ReadExactlyAsync(new byte[goAway.Length]).Guarded();
            lent.Streams.Close("test");
        }
        else
        {
            lent.Streams.Close("test");
            await lent.Stream.ReadExactlyAsync(new byte[LentPair.GoAwaySize]).Guarded();
            await lent.Peer.Output.WriteAsync(goAway).Guarded();
        }

        byte[] data = Http2Frames.Frame(Http2Frames.Data, 0, 1, new byte[20]);
        byte[] last = Http2Frames.Frame(Http2Frames.GoAway, 0, 0, [0, 0, 0, 3, 0, 0, 0, 0, 1, 2, 3]);
        byte[] refused = [.. Http2Frames.Frame(Http2Frames.RstStream, 0, 5, [0, 0, 0, 7]), .. Http2Frames.Frame(Http2Frames.RstStream, 0, 7, [0, 0, 0, 7])];
        var reading = lent.ReadToEndAsync(refused.Length + data.Length);
        foreach (var part in ((byte[])[.. last, .. data]).Chunk(piece))
        {
            await lent.Peer.Output.WriteAsync(part).Guarded();
            await lent.Server.PingAsync(TestContext.Current.CancellationToken).Guarded(); // It has come, and may have been read.
        }

        await lent.Peer.Output.CompleteAsync().Guarded();
        var read = await reading.Guarded();

        Assert.Equal([.. refused, .. data], read);
    }

    [Theory]
    [InlineData(1000, 1000)]
    [InlineData(1, 1000)]
    [InlineData(1000, 1)]
    public async Task Requests_that_the_first_GOAWAY_leaves_out_are_refused_one_by_one(int piece, int read)
    {
        await using var lent = await LentPair.CreateAsync();
        await lent.BeginAsync();
        await lent.Stream.WriteAsync(Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndHeaders, 3, [0x82])).Guarded(); // Its body is still to come.
        byte[] data = Http2Frames.Frame(Http2Frames.Data, 0, 1, new byte[20]);
        byte[] goAway = Http2Frames.Frame(Http2Frames.GoAway, 0, 0, [0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3]);
        byte[] expected = [.. data, .. LentPair.OurGoAway, .. Http2Frames.Frame(Http2Frames.RstStream, 0, 3, [0, 0, 0, 7]), .. data];
        byte[] late = Http2Frames.Frame(Http2Frames.RstStream, 0, 5, [0, 0, 0, 7]);
        var all = new byte[expected.Length];
        var reading = ReadAsync();

        foreach (var part in ((byte[])[.. data, .. goAway, .. data]).Chunk(piece))
        {
            await lent.Peer.Output.WriteAsync(part).Guarded();
            await lent.Server.PingAsync(TestContext.Current.CancellationToken).Guarded(); // It has come, and may have been read.
        }

        await lent.Peer.Output.CompleteAsync().Guarded();
        await reading.Guarded();
        Assert.Equal(expected, all);
        await lent.Stream.WriteAsync(Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndHeaders, 5, [0x82])).Guarded(); // The handler was about to write it when it heard GOAWAY.
        Assert.Equal(late, await lent.ReadToEndAsync(late.Length, read));
        Assert.True(lent.LeavingCount > 0);

        async Task ReadAsync()
        {
            for (var count = 0; count < all.Length;)
            {
                count += await lent.Stream.ReadAsync(all.AsMemory(count, Math.Min(read, all.Length - count)));
            }
        }
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(1)]
    public async Task A_GOAWAY_for_an_error_comes_through_as_it_is(int piece)
    {
        await using var lent = await LentPair.CreateAsync();
        await lent.BeginAsync();
        await lent.Stream.WriteAsync(Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndHeaders, 3, [0x82])).Guarded();
        byte[] goAway = Http2Frames.Frame(Http2Frames.GoAway, 0, 0, [0, 0, 0, 1, 0, 0, 0, 11, 1, 2, 3]); // ENHANCE_YOUR_CALM
        var reading = lent.ReadToEndAsync(goAway.Length);

        foreach (var part in goAway.Chunk(piece))
        {
            await lent.Peer.Output.WriteAsync(part).Guarded();
            await lent.Server.PingAsync(TestContext.Current.CancellationToken).Guarded();
        }

        await lent.Peer.Output.CompleteAsync().Guarded();
        Assert.Equal(goAway, await reading.Guarded());
    }

    [Fact]
    public async Task A_GOAWAY_before_the_first_request_is_heard_when_that_is_written()
    {
        await using var lent = await LentPair.CreateAsync();
        await lent.Stream.WriteAsync(Http2Frames.Opening).Guarded();
        await lent.Peer.Output.WriteAsync((byte[])[.. LentPair.Settings, .. Http2Frames.Frame(Http2Frames.GoAway, 0, 0, new byte[8])]).Guarded();
        await lent.Stream.ReadExactlyAsync(new byte[LentPair.Settings.Length]).Guarded();
        byte[] expected = [.. LentPair.OurGoAway, .. Http2Frames.Frame(Http2Frames.RstStream, 0, 1, [0, 0, 0, 7])];
        var read = new byte[expected.Length];

        var reading = lent.Stream.ReadExactlyAsync(read).AsTask();
        await Guard.Until(() => lent.LeavingCount > 0, "the server's leaving is known");
        Assert.False(reading.IsCompleted); // SocketsHttpHandler would take it for a handshake that failed.
        await lent.Stream.WriteAsync(LentPair.Request.AsMemory(Http2Frames.Opening.Length)).Guarded();

        await reading.Guarded();
        Assert.Equal(expected, read);
    }

    [Fact]
    public async Task A_handler_that_waits_for_what_a_peer_still_owes_it_hears_of_the_end_after_five_seconds()
    {
        var time = new FakeTimeProvider();
        await using var lent = await LentPair.CreateAsync(time: time);
        await lent.BeginAsync();
        await lent.Peer.Output.WriteAsync(Http2Frames.Frame(Http2Frames.GoAway, 0, 0, [0, 0, 0, 1, 0, 0, 0, 0])).Guarded();
        await lent.Peer.Output.CompleteAsync().Guarded();

        var reading = lent.Stream.CopyToAsync(new MemoryStream(), TestContext.Current.CancellationToken);

        await Guard.Until(() =>
        {
            time.Advance(TimeSpan.FromSeconds(5)); // It may not have come to wait for it yet.
            return reading.IsCompleted;
        }, "it is told");
        await reading;
    }

    [Fact]
    public async Task A_request_that_is_written_after_the_GOAWAY_which_leaves_it_out_is_refused_too()
    {
        await using var lent = await LentPair.CreateAsync();
        await lent.BeginAsync();
        lent.Streams.Close("test");
        await lent.Stream.ReadExactlyAsync(new byte[LentPair.GoAwaySize]).Guarded();
        var refused = Http2Frames.Frame(Http2Frames.RstStream, 0, 3, [0, 0, 0, 7]);
        var read = new byte[refused.Length];
        var reading = lent.Stream.ReadExactlyAsync(read).AsTask();
        await lent.Peer.Output.WriteAsync(Http2Frames.Frame(Http2Frames.GoAway, 0, 0, [0, 0, 0, 1, 0, 0, 0, 0])).Guarded();
        await Guard.Until(() => lent.LeavingCount > 0, "the GOAWAY has been skipped");
        Assert.False(reading.IsCompleted);

        await lent.Stream.WriteAsync(Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndHeaders, 3, [0x82])).Guarded();
        await reading.Guarded();

        Assert.Equal(refused, read);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1_000_001)]
    public async Task A_GOAWAY_that_leaves_out_more_requests_than_can_be_open_is_answered_for_the_last_of_them(int last)
    {
        await using var lent = await LentPair.CreateAsync();
        await lent.BeginAsync();
        await lent.Stream.WriteAsync(Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndHeaders, int.MaxValue, [0x82])).Guarded();
        lent.Streams.Close("test");
        await lent.Stream.ReadExactlyAsync(new byte[LentPair.GoAwaySize]).Guarded();

        await lent.Peer.Output.WriteAsync(Http2Frames.Frame(Http2Frames.GoAway, 0, 0, [0, (byte)(last >> 16), (byte)(last >> 8), (byte)last, 0, 0, 0, 0])).Guarded();
        await lent.Peer.Output.CompleteAsync().Guarded();
        var read = await lent.ReadToEndAsync(10_001 * 13);

        Assert.Equal(Http2Frames.Frame(Http2Frames.RstStream, 0, int.MaxValue, [0, 0, 0, 7]), read[^13..]);
    }

    [Theory]
    [InlineData(4 << 10)]
    [InlineData(16 << 10)]
    [InlineData(64 << 10)]
    public async Task A_second_GOAWAY_is_found_behind_a_frame_that_fills_what_the_stream_holds_together(int size)
    {
        await using var lent = await LentPair.CreateAsync();
        await lent.BeginAsync();
        lent.Streams.Close("test");
        await lent.Stream.ReadExactlyAsync(new byte[LentPair.GoAwaySize]).Guarded();

        // Up to the end of an array, wherever in it they begin.
        byte[] data = Http2Frames.Frame(Http2Frames.Data, 0, 1, new byte[size - 9]);
        byte[] goAway = Http2Frames.Frame(Http2Frames.GoAway, 0, 0, [0, 0, 0, 1, 0, 0, 0, 0]);
        await lent.Peer.Output.WriteAsync(data).Guarded();
        await lent.Peer.Output.WriteAsync(goAway).Guarded();
        await lent.Peer.Output.WriteAsync(data).Guarded();
        await lent.Peer.Output.CompleteAsync().Guarded();
        await lent.Server.PingAsync(TestContext.Current.CancellationToken).Guarded(); // All of it waits to be read.
        var read = await lent.ReadToEndAsync(2 * data.Length, 4 * size);

        Assert.Equal([.. data, .. data], read);
    }
}
