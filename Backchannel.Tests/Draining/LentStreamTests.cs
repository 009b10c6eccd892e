using Backchannel.Tests.Authority;
using Backchannel.Tests.Kit;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Draining;

/// <summary>Where the GOAWAY is put that has an HTTP handler let go of its connection: what it reads must stay HTTP/2.</summary>
public class LentStreamTests
{
    private const int GoAwaySize = 17;

    private static byte[] OurGoAway => Http2Frames.Frame(Http2Frames.GoAway, 0, 0, [0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);

    private static byte[] Request => [.. Http2Frames.Opening, .. Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndHeaders, 1, [0x82])];

    private static byte[] Settings => Http2Frames.Frame(Http2Frames.Settings, 0, 0, []);

    [Theory]
    [InlineData(Http2Frames.Headers)]
    [InlineData(Http2Frames.PushPromise)]
    public async Task It_does_not_come_between_the_frames_of_a_header_block(byte type)
    {
        byte[][] frames =
        [
            Http2Frames.Frame(type, 0, 1, [1, 2, 3]),
            Http2Frames.Frame(Http2Frames.Continuation, 0, 1, [4]),
            Http2Frames.Frame(Http2Frames.Continuation, 0, 1, []),
            Http2Frames.Frame(Http2Frames.Continuation, Http2Frames.EndHeaders, 1, [5, 6]),
        ];

        // After each byte of the block, as long as it is not complete.
        var length = frames.Sum(frame => frame.Length);
        for (var before = 1; before < length; before++)
        {
            Assert.Equal(length, await GoAwayPositionAsync([.. frames.SelectMany(frame => frame)], before));
        }
    }

    [Theory]
    [InlineData(Http2Frames.Headers, Http2Frames.EndHeaders)]
    [InlineData(Http2Frames.Headers, Http2Frames.EndHeaders | Http2Frames.EndStream)]
    [InlineData(Http2Frames.Continuation, Http2Frames.EndHeaders)]
    [InlineData(Http2Frames.Data, 0)]
    [InlineData(Http2Frames.Settings, 0)]
    [InlineData(Http2Frames.Ping, 0)]
    public async Task It_comes_after_any_other_frame(byte type, byte flags)
    {
        var frame = Http2Frames.Frame(type, flags, 1, [1, 2, 3, 4, 5, 6, 7, 8]);

        for (var before = 1; before <= frame.Length; before++)
        {
            Assert.Equal(frame.Length, await GoAwayPositionAsync([.. frame, .. frame], before));
        }
    }

    [Fact]
    public async Task It_is_told_to_a_handler_that_waits_for_bytes()
    {
        await using var sessions = new SessionPair();
        var lent = new LentStreams(_ => "", new FakeTimeProvider());
        await using var stream = lent.TryLend(await sessions.Client.OpenStreamAsync().Guarded())!;
        await stream.WriteAsync(Request).Guarded();
        await (await sessions.Server.AcceptStreamAsync().Guarded())!.Output.WriteAsync(Settings).Guarded();
        await stream.ReadExactlyAsync(new byte[Settings.Length]).Guarded();
        var waiting = stream.ReadAsync(new byte[100]);

        lent.Close("test");

        Assert.Equal(GoAwaySize, await waiting.Guarded());
    }

    [Fact]
    public async Task A_handler_that_waits_for_the_first_byte_is_told_too()
    {
        var clock = new FirstRequestClock();
        await using var sessions = new SessionPair();
        var lent = new LentStreams(_ => "", clock);
        await using var stream = lent.TryLend(await sessions.Client.OpenStreamAsync().Guarded())!;
        var buffer = new byte[100];
        var waiting = stream.ReadAsync(buffer).AsTask();

        lent.Close("test");
        await clock.Awaited.Guarded();
        Assert.False(waiting.IsCompleted); // Before its first request that were a handshake that failed.
        await stream.WriteAsync(Request).Guarded();

        Assert.Equal(Settings.Length + GoAwaySize, await waiting.Guarded());
        Assert.Equal(Settings, buffer[..Settings.Length]); // What a server must begin with.
        Assert.Equal(Http2Frames.GoAway, buffer[Settings.Length + 3]);
    }

    [Fact]
    public async Task A_handler_whose_first_request_does_not_come_is_told_after_a_second()
    {
        var time = new FakeTimeProvider();
        await using var sessions = new SessionPair();
        var lent = new LentStreams(_ => "", time);
        await using var stream = lent.TryLend(await sessions.Client.OpenStreamAsync().Guarded())!;
        var waiting = stream.ReadAsync(new byte[100]).AsTask();
        lent.Close("test");

        await Guard.Until(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1)); // It may not have come to wait for it yet.
            return waiting.IsCompleted;
        }, "it is told");

        Assert.Equal(Settings.Length + GoAwaySize, await waiting);
    }

    [Theory]
    [InlineData(100, 100)]
    [InlineData(1, 100)]
    [InlineData(100, 1)]
    public async Task A_peer_that_begins_with_GOAWAY_is_read_as_if_it_had_begun_with_SETTINGS(int piece, int read)
    {
        await using var sessions = new SessionPair();
        var leaving = 0;
        var lent = new LentStreams(_ => "", new FakeTimeProvider());
        lent.PeerLeaving += () => leaving++;
        await using var stream = lent.TryLend(await sessions.Client.OpenStreamAsync().Guarded())!;
        var peer = (await sessions.Server.AcceptStreamAsync().Guarded())!;
        var goAway = Http2Frames.Frame(Http2Frames.GoAway, 0, 0, new byte[8]);
        var buffer = new byte[Settings.Length + goAway.Length];

        var reading = ReadAsync();
        foreach (var bytes in goAway.Chunk(piece))
        {
            await peer.Output.WriteAsync(bytes).Guarded();
        }

        await Guard.Until(() => leaving > 0, "the server's leaving is known");
        Assert.False(reading.IsCompleted);
        await stream.WriteAsync(Request).Guarded();
        await reading.Guarded();

        Assert.Equal([.. Settings, .. goAway], buffer);

        async Task ReadAsync()
        {
            for (var count = 0; count < buffer.Length;)
            {
                count += await stream.ReadAsync(buffer.AsMemory(count, Math.Min(read, buffer.Length - count)));
            }
        }
    }

    [Theory]
    [InlineData(true, 1000)]
    [InlineData(true, 1)]
    [InlineData(false, 1000)]
    [InlineData(false, 1)]
    public async Task A_handler_hears_one_GOAWAY_whichever_end_leaves_first(bool peerFirst, int piece)
    {
        await using var sessions = new SessionPair();
        var leaving = 0;
        var lent = new LentStreams(_ => "", new FakeTimeProvider());
        lent.PeerLeaving += () => leaving++;
        await using var stream = lent.TryLend(await sessions.Client.OpenStreamAsync().Guarded())!;
        await stream.WriteAsync(Request).Guarded();
        var peer = (await sessions.Server.AcceptStreamAsync().Guarded())!;
        byte[] goAway = Http2Frames.Frame(Http2Frames.GoAway, 0, 0, [0, 0, 0, 1, .. new byte[26]]);
        byte[] data = Http2Frames.Frame(Http2Frames.Data, 0, 1, new byte[20]);
        var read = new MemoryStream();
        await SendAsync(Settings);
        await ReadAsync(Settings.Length);

        if (peerFirst)
        {
            await SendAsync([.. goAway, .. data]);
            await ReadAsync(goAway.Length + data.Length);
            lent.Close("test");
            await SendAsync([.. goAway, .. data]);
            await ReadAsync(data.Length);
        }
        else
        {
            lent.Close("test");
            await ReadAsync(GoAwaySize);
            foreach (var frame in (byte[][])[data, goAway, data, goAway])
            {
                await SendAsync(frame);
            }

            await sessions.Server.PingAsync(TestContext.Current.CancellationToken).Guarded(); // All of it waits to be read.
            await ReadAsync(2 * data.Length);
        }

        await peer.Output.CompleteAsync().Guarded();
        Assert.Equal(0, await stream.ReadAsync(new byte[1]).Guarded());
        byte[] first = peerFirst ? [.. Settings, .. goAway] : [.. Settings, .. OurGoAway, .. data];
        Assert.Equal([.. first, .. data, .. (peerFirst ? data : [])], read.ToArray());
        Assert.True(leaving > 0);

        async Task SendAsync(byte[] bytes)
        {
            foreach (var part in bytes.Chunk(piece))
            {
                await peer.Output.WriteAsync(part).Guarded();
            }
        }

        async Task ReadAsync(int count)
        {
            var bytes = new byte[count];
            await stream.ReadExactlyAsync(bytes).Guarded();
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
        await using var sessions = new SessionPair();
        var lent = new LentStreams(_ => "", new FakeTimeProvider());
        await using var stream = lent.TryLend(await sessions.Client.OpenStreamAsync().Guarded())!;
        var peer = (await sessions.Server.AcceptStreamAsync().Guarded())!;
        await stream.WriteAsync(Request).Guarded();
        await peer.Output.WriteAsync(Settings).Guarded();
        await stream.ReadExactlyAsync(new byte[Settings.Length]).Guarded();
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
            await stream.WriteAsync(part).Guarded();
        }

        if (peerFirst)
        {
            await peer.Output.WriteAsync(goAway).Guarded();
            await stream.ReadExactlyAsync(new byte[goAway.Length]).Guarded();
            lent.Close("test");
        }
        else
        {
            lent.Close("test");
            await stream.ReadExactlyAsync(new byte[GoAwaySize]).Guarded();
            await peer.Output.WriteAsync(goAway).Guarded();
        }

        byte[] data = Http2Frames.Frame(Http2Frames.Data, 0, 1, new byte[20]);
        byte[] last = Http2Frames.Frame(Http2Frames.GoAway, 0, 0, [0, 0, 0, 3, 0, 0, 0, 0, 1, 2, 3]);
        var read = new MemoryStream();
        var reading = stream.CopyToAsync(read, TestContext.Current.CancellationToken);
        foreach (var part in ((byte[])[.. last, .. data]).Chunk(piece))
        {
            await peer.Output.WriteAsync(part).Guarded();
            await sessions.Server.PingAsync(TestContext.Current.CancellationToken).Guarded(); // It has come, and may have been read.
        }

        await peer.Output.CompleteAsync().Guarded();
        await reading.Guarded();

        byte[] refused = [.. Http2Frames.Frame(Http2Frames.RstStream, 0, 5, [0, 0, 0, 7]), .. Http2Frames.Frame(Http2Frames.RstStream, 0, 7, [0, 0, 0, 7])];
        Assert.Equal([.. refused, .. data], read.ToArray());
    }

    [Fact]
    public async Task A_request_that_is_written_after_the_GOAWAY_which_leaves_it_out_is_refused_too()
    {
        await using var sessions = new SessionPair();
        var leaving = 0;
        var lent = new LentStreams(_ => "", new FakeTimeProvider());
        lent.PeerLeaving += () => leaving++;
        await using var stream = lent.TryLend(await sessions.Client.OpenStreamAsync().Guarded())!;
        var peer = (await sessions.Server.AcceptStreamAsync().Guarded())!;
        await stream.WriteAsync(Request).Guarded();
        await peer.Output.WriteAsync(Settings).Guarded();
        await stream.ReadExactlyAsync(new byte[Settings.Length]).Guarded();
        lent.Close("test");
        await stream.ReadExactlyAsync(new byte[GoAwaySize]).Guarded();
        var refused = Http2Frames.Frame(Http2Frames.RstStream, 0, 3, [0, 0, 0, 7]);
        var read = new byte[refused.Length];
        var reading = stream.ReadExactlyAsync(read).AsTask();
        await peer.Output.WriteAsync(Http2Frames.Frame(Http2Frames.GoAway, 0, 0, [0, 0, 0, 1, 0, 0, 0, 0])).Guarded();
        await Guard.Until(() => leaving > 0, "the GOAWAY has been skipped");
        Assert.False(reading.IsCompleted);

        await stream.WriteAsync(Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndHeaders, 3, [0x82])).Guarded();
        await reading.Guarded();

        Assert.Equal(refused, read);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1_000_001)]
    public async Task A_GOAWAY_that_leaves_out_more_requests_than_can_be_open_is_answered_for_the_last_of_them(int last)
    {
        await using var sessions = new SessionPair();
        var lent = new LentStreams(_ => "", new FakeTimeProvider());
        await using var stream = lent.TryLend(await sessions.Client.OpenStreamAsync().Guarded())!;
        var peer = (await sessions.Server.AcceptStreamAsync().Guarded())!;
        await stream.WriteAsync(Request).Guarded();
        await peer.Output.WriteAsync(Settings).Guarded();
        await stream.ReadExactlyAsync(new byte[Settings.Length]).Guarded();
        await stream.WriteAsync(Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndHeaders, int.MaxValue, [0x82])).Guarded();
        lent.Close("test");
        await stream.ReadExactlyAsync(new byte[GoAwaySize]).Guarded();

        await peer.Output.WriteAsync(Http2Frames.Frame(Http2Frames.GoAway, 0, 0, [0, (byte)(last >> 16), (byte)(last >> 8), (byte)last, 0, 0, 0, 0])).Guarded();
        await peer.Output.CompleteAsync().Guarded();
        var read = new MemoryStream();
        await stream.CopyToAsync(read, TestContext.Current.CancellationToken).Guarded();

        Assert.InRange(read.Length, 10_000 * 13, 10_001 * 13);
        Assert.Equal(Http2Frames.Frame(Http2Frames.RstStream, 0, int.MaxValue, [0, 0, 0, 7]), read.ToArray()[^13..]);
    }

    [Fact]
    public async Task A_stream_that_failed_before_any_request_is_given_back_when_it_is_to_be()
    {
        await using var sessions = new SessionPair();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var lent = new LentStreams(
            _ =>
            {
                asked.SetResult(); // The reader has seen the failure, and goes on to wait for a request.
                return "why";
            },
            new FakeTimeProvider());
        await using var stream = lent.TryLend(await sessions.Client.OpenStreamAsync().Guarded())!;
        await stream.WriteAsync(Http2Frames.Opening).Guarded();
        (await sessions.Server.AcceptStreamAsync().Guarded())!.Abort();
        var waiting = stream.ReadAsync(new byte[100]).AsTask();
        await asked.Task.Guarded();
        Assert.False(waiting.IsCompleted);

        lent.Close("test");

        Assert.StartsWith("why", (await Assert.ThrowsAsync<IOException>(() => waiting.Guarded())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4 << 10)]
    [InlineData(16 << 10)]
    [InlineData(64 << 10)]
    public async Task A_second_GOAWAY_is_found_behind_a_frame_that_fills_what_the_stream_holds_together(int size)
    {
        await using var sessions = new SessionPair();
        var lent = new LentStreams(_ => "", new FakeTimeProvider());
        await using var stream = lent.TryLend(await sessions.Client.OpenStreamAsync().Guarded())!;
        await stream.WriteAsync(Request).Guarded();
        var peer = (await sessions.Server.AcceptStreamAsync().Guarded())!;
        await peer.Output.WriteAsync(Settings).Guarded();
        await stream.ReadExactlyAsync(new byte[Settings.Length]).Guarded();
        lent.Close("test");
        await stream.ReadExactlyAsync(new byte[GoAwaySize]).Guarded();

        // Up to the end of an array, wherever in it they begin.
        byte[] data = Http2Frames.Frame(Http2Frames.Data, 0, 1, new byte[size - 9]);
        byte[] goAway = Http2Frames.Frame(Http2Frames.GoAway, 0, 0, [0, 0, 0, 1, 0, 0, 0, 0]);
        await peer.Output.WriteAsync(data).Guarded();
        await peer.Output.WriteAsync(goAway).Guarded();
        await peer.Output.WriteAsync(data).Guarded();
        await peer.Output.CompleteAsync().Guarded();
        await sessions.Server.PingAsync(TestContext.Current.CancellationToken).Guarded(); // All of it waits to be read.
        var read = new MemoryStream();
        await stream.CopyToAsync(read, bufferSize: 4 * size, TestContext.Current.CancellationToken).Guarded();

        Assert.Equal([.. data, .. data], read.ToArray());
    }

    [Fact]
    public async Task One_stream_at_a_time_is_asked_back_for_one_that_is_refused()
    {
        await using var sessions = new SessionPair();
        var lent = new LentStreams(_ => "", new FakeTimeProvider(), most: 12);
        var streams = new List<LentStream>();
        for (var i = 0; i < 4; i++)
        {
            var stream = lent.TryLend(await sessions.Client.OpenStreamAsync().Guarded())!;
            streams.Add(stream);
            await stream.WriteAsync(Request).Guarded();
            await (await sessions.Server.AcceptStreamAsync().Guarded())!.Output.WriteAsync(Settings).Guarded();
            await stream.ReadExactlyAsync(new byte[Settings.Length]).Guarded();
        }

        lent.OnRefused(streams[^1]);
        lent.OnRefused(streams[^1]);

        Assert.Equal([true, false, false, false], streams.Select(stream => stream.IsAskedBack));
        await streams[0].DisposeAsync();
        lent.OnRefused(streams[^1]);
        Assert.Equal([true, false, false], streams.Skip(1).Select(stream => stream.IsAskedBack));
        streams.ForEach(stream => stream.Dispose());
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(100, false)]
    [InlineData(1, true)]
    [InlineData(100, true)]
    public async Task A_peer_that_ends_the_stream_unanswered_is_answered_for_once_for_each_request(int pieces, bool inOrder)
    {
        await using var sessions = new SessionPair();
        var stream = new LentStreams(_ => "100% why", TimeProvider.System).TryLend(await sessions.Client.OpenStreamAsync().Guarded())!;
        byte[] sent =
        [
            .. Http2Frames.Opening,
            .. Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndHeaders, 1, [0x82]),
            .. Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndHeaders, 3, [0x82]),
            .. Http2Frames.Frame(Http2Frames.Data, 0, 1, new byte[50]),
            .. Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndHeaders | Http2Frames.EndStream, 1, [0x82]),
        ];
        foreach (var piece in sent.Chunk(pieces))
        {
            await stream.WriteAsync(piece).Guarded();
        }

        var peer = (await sessions.Server.AcceptStreamAsync().Guarded())!;
        if (inOrder)
        {
            await peer.Output.CompleteAsync().Guarded();
        }
        else
        {
            peer.Abort();
        }

        var types = new List<(byte Type, int Stream)>();
        var blocks = new List<string>();
        do
        {
            var header = new byte[9];
            await stream.ReadExactlyAsync(header).Guarded();
            var payload = new byte[(header[1] << 8) | header[2]];
            await stream.ReadExactlyAsync(payload).Guarded();
            types.Add((header[3], header[8]));
            blocks.Add(System.Text.Encoding.ASCII.GetString(payload));
        }
        while (types[^1].Type != Http2Frames.GoAway);

        Assert.Equal(
            [(Http2Frames.Settings, 0), (Http2Frames.Headers, 1), (Http2Frames.RstStream, 1), (Http2Frames.Headers, 3), (Http2Frames.RstStream, 3), (Http2Frames.GoAway, 0)], types);
        Assert.Contains("100%25%20why", blocks[1], StringComparison.Ordinal);
        Assert.Equal("\0\0\0\u0003\0\0\0\0", blocks[^1]);
        var waiting = stream.ReadAsync(new byte[1]);
        Assert.False(waiting.IsCompleted);
        await stream.DisposeAsync();
        Assert.Equal(0, await waiting.Guarded());
    }

    [Theory]
    [InlineData(YamuxErrorCode.KeepAliveTimeout)]
    [InlineData(YamuxErrorCode.StreamOpenTimeout)]
    public async Task A_peer_that_says_nothing_until_it_is_given_up_is_answered_for(YamuxErrorCode reason)
    {
        var time = new FakeTimeProvider();
        var (near, _) = DuplexPipe.CreatePair();
        var options = new YamuxOptions
        {
            TimeProvider = time,
            EnableKeepAlive = reason == YamuxErrorCode.KeepAliveTimeout,
            StreamOpenTimeout = reason == YamuxErrorCode.StreamOpenTimeout ? TimeSpan.FromSeconds(10) : Timeout.InfiniteTimeSpan,
        };
        await using var session = YamuxSession.Create(near, YamuxRole.Client, options);
        YamuxException? failure = null;
        var lent = new LentStreams(
            why =>
            {
                failure = why;
                return "why";
            },
            time);
        var stream = lent.TryLend(await session.OpenStreamAsync().Guarded())!;
        await stream.WriteAsync(Request).Guarded();
        var settings = new byte[Settings.Length];
        var reading = stream.ReadExactlyAsync(settings).AsTask();

        await Guard.Until(() =>
        {
            time.Advance(TimeSpan.FromSeconds(10));
            return reading.IsCompleted;
        }, "it is given up");

        await reading;
        Assert.Equal(Settings, settings); // Of our answer.
        Assert.Equal(reason, failure?.ErrorCode);
        Assert.StartsWith("The server took the connection and said nothing: ", ServerAnswer.Explain(failure, isTls: false), StringComparison.Ordinal);
        await stream.DisposeAsync();
        session.Abort(); // It would wait for a peer that never answers, on a clock that stands still.
    }

    [Fact]
    public async Task An_answer_of_ours_that_is_half_read_is_read_to_its_end_when_the_handler_is_to_let_go()
    {
        await using var sessions = new SessionPair();
        var lent = new LentStreams(_ => "why", new FakeTimeProvider());
        var stream = lent.TryLend(await sessions.Client.OpenStreamAsync().Guarded())!;
        await stream.WriteAsync(Request).Guarded();
        (await sessions.Server.AcceptStreamAsync().Guarded())!.Abort();
        var expected = Http2Refusal.Create([1], "why (Yamux stream 1 was reset by the peer.)");
        var answer = new byte[expected.Length];
        await stream.ReadExactlyAsync(answer.AsMemory(0, 5)).Guarded();

        lent.Close("test");
        await stream.ReadExactlyAsync(answer.AsMemory(5)).Guarded();

        Assert.Equal(expected, answer);
        await stream.DisposeAsync();
    }

    // The handler has read so many bytes when it is to let go; the rest comes then.
    private static async Task<int> GoAwayPositionAsync(byte[] bytes, int before)
    {
        await using var sessions = new SessionPair();
        var lent = new LentStreams(_ => "", new FakeTimeProvider());
        await using var stream = lent.TryLend(await sessions.Client.OpenStreamAsync().Guarded())!;
        var peer = (await sessions.Server.AcceptStreamAsync().Guarded())!;
        var read = new byte[bytes.Length + GoAwaySize];
        await stream.WriteAsync(Request).Guarded();
        await peer.Output.WriteAsync(Settings).Guarded();
        await stream.ReadExactlyAsync(new byte[Settings.Length]).Guarded();
        await peer.Output.WriteAsync(bytes.AsMemory(0, before)).Guarded();
        await stream.ReadExactlyAsync(read.AsMemory(0, before)).Guarded();

        Assert.True(lent.Close("test"));
        await peer.Output.WriteAsync(bytes.AsMemory(before)).Guarded();
        await stream.ReadExactlyAsync(read.AsMemory(before)).Guarded();

        byte[] goAway = [0, 0, 8, Http2Frames.GoAway, 0, 0, 0, 0, 0, 0x7f];
        var position = read.AsSpan().IndexOf(goAway);
        byte[] rest = [.. read[..position], .. read[(position + GoAwaySize)..]];
        Assert.Equal(bytes, rest);
        return position;
    }

    /// <summary>Tells when a first request is waited for.</summary>
    private sealed class FirstRequestClock : FakeTimeProvider
    {
        private readonly TaskCompletionSource _awaited = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Awaited => _awaited.Task;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _awaited.TrySetResult();
            return base.CreateTimer(callback, state, dueTime, period);
        }
    }

    private sealed class SessionPair : IAsyncDisposable
    {
        public SessionPair()
        {
            var (near, far) = DuplexPipe.CreatePair();
            Client = YamuxSession.Create(near, YamuxRole.Client, new YamuxOptions { EnableKeepAlive = false });
            Server = YamuxSession.Create(far, YamuxRole.Server, new YamuxOptions { EnableKeepAlive = false });
        }

        public YamuxSession Client { get; }

        public YamuxSession Server { get; }

        public async ValueTask DisposeAsync()
        {
            await Server.DisposeAsync();
            await Client.DisposeAsync();
        }
    }
}
