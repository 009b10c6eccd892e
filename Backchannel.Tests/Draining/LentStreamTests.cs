using Backchannel.Tests.Authority;
using Backchannel.Tests.Draining.Kit;
using Backchannel.Tests.Kit;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Backchannel.Tests.Draining;

/// <summary>Where the GOAWAY is put that has an HTTP handler let go of its connection: what it reads must stay HTTP/2.</summary>
public class LentStreamTests
{
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
            Assert.Equal(before < Http2Frames.HeaderSize ? 0 : length, await GoAwayPositionAsync([.. frames.SelectMany(frame => frame)], before));
        }
    }

    [Theory]
    [InlineData(Http2Frames.Headers, Http2Frames.EndHeaders)]
    [InlineData(Http2Frames.Headers, Http2Frames.EndHeaders | Http2Frames.EndStream)]
    [InlineData(Http2Frames.Continuation, Http2Frames.EndHeaders)]
    [InlineData(Http2Frames.Data, 0)]
    [InlineData(Http2Frames.Settings, 0)]
    [InlineData(Http2Frames.Ping, 0)]
    public async Task It_comes_before_or_after_any_other_frame(byte type, byte flags)
    {
        var frame = Http2Frames.Frame(type, flags, 1, [1, 2, 3, 4, 5, 6, 7, 8]);

        for (var before = 1; before <= frame.Length; before++)
        {
            Assert.Equal(before < Http2Frames.HeaderSize ? 0 : frame.Length, await GoAwayPositionAsync([.. frame, .. frame], before));
        }
    }

    [Fact]
    public async Task It_is_told_to_a_handler_that_waits_for_bytes()
    {
        await using var lent = await LentPair.CreateAsync();
        await lent.BeginAsync();
        var waiting = lent.Stream.ReadAsync(new byte[100]);

        lent.Streams.Close("test");

        Assert.Equal(LentPair.GoAwaySize, await waiting.Guarded());
    }

    [Fact]
    public async Task A_handler_that_waits_for_the_first_byte_is_told_too()
    {
        var clock = new FirstRequestClock();
        await using var lent = await LentPair.CreateAsync(time: clock);
        var buffer = new byte[100];
        var waiting = lent.Stream.ReadAsync(buffer).AsTask();

        lent.Streams.Close("test");
        await clock.Awaited.Guarded();
        Assert.False(waiting.IsCompleted); // Before its first request that were a handshake that failed.
        await lent.Stream.WriteAsync(LentPair.Request).Guarded();

        Assert.Equal(LentPair.Settings.Length + LentPair.GoAwaySize, await waiting.Guarded());
        Assert.Equal(LentPair.Settings, buffer[..LentPair.Settings.Length]); // What a server must begin with.
        Assert.Equal(Http2Frames.GoAway, buffer[LentPair.Settings.Length + 3]);
    }

    [Fact]
    public async Task It_does_not_come_before_the_SETTINGS_that_a_handler_knows_to_be_there()
    {
        await using var lent = await LentPair.CreateAsync();
        await lent.Stream.WriteAsync(LentPair.Request).Guarded();
        await lent.Peer.Output.WriteAsync(LentPair.Settings).Guarded();
        Assert.Equal(0, await lent.Stream.ReadAsync(Memory<byte>.Empty).Guarded()); // As SocketsHttpHandler waits for bytes.

        lent.Streams.Close("test");
        var read = new byte[LentPair.Settings.Length + LentPair.GoAwaySize];
        await lent.Stream.ReadExactlyAsync(read).Guarded();

        Assert.Equal([.. LentPair.Settings, .. LentPair.OurGoAway], read);
    }

    [Fact]
    public async Task A_handler_whose_first_request_does_not_come_is_told_after_a_second()
    {
        var time = new FakeTimeProvider();
        await using var lent = await LentPair.CreateAsync(time: time);
        var waiting = lent.Stream.ReadAsync(new byte[100]).AsTask();
        lent.Streams.Close("test");

        await Guard.Until(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1)); // It may not have come to wait for it yet.
            return waiting.IsCompleted;
        }, "it is told");

        Assert.Equal(LentPair.Settings.Length + LentPair.GoAwaySize, await waiting);
    }

    [Theory]
    [InlineData(100, 100)]
    [InlineData(1, 100)]
    [InlineData(100, 1)]
    public async Task A_peer_that_begins_with_GOAWAY_is_read_as_if_it_had_begun_with_SETTINGS(int piece, int read)
    {
        await using var lent = await LentPair.CreateAsync();
        var goAway = Http2Frames.Frame(Http2Frames.GoAway, 0, 0, new byte[8]);
        byte[] expected = [.. LentPair.Settings, .. LentPair.OurGoAway, .. Http2Frames.Frame(Http2Frames.RstStream, 0, 1, [0, 0, 0, 7])];
        var buffer = new byte[expected.Length];

        var reading = ReadAsync();
        foreach (var bytes in goAway.Chunk(piece))
        {
            await lent.Peer.Output.WriteAsync(bytes).Guarded();
        }

        await Guard.Until(() => lent.LeavingCount > 0, "the server's leaving is known");
        Assert.False(reading.IsCompleted);
        await lent.Stream.WriteAsync(LentPair.Request).Guarded();
        await reading.Guarded();

        Assert.Equal(expected, buffer);

        async Task ReadAsync()
        {
            for (var count = 0; count < buffer.Length;)
            {
                count += await lent.Stream.ReadAsync(buffer.AsMemory(count, Math.Min(read, buffer.Length - count)));
            }
        }
    }

    [Fact]
    public async Task One_stream_at_a_time_is_asked_back_for_one_that_is_refused()
    {
        await using var lent = await LentPair.CreateAsync(most: 12);
        var streams = new List<LentStream> { lent.Stream };
        await lent.BeginAsync();
        for (var i = 1; i < 4; i++)
        {
            var (stream, peer) = await lent.LendAsync();
            streams.Add(stream);
            await LentPair.BeginAsync(stream, peer);
        }

        lent.Streams.OnRefused(streams[^1]);
        lent.Streams.OnRefused(streams[^1]);

        Assert.Equal([true, false, false, false], streams.Select(stream => stream.IsAskedBack));
        await streams[0].DisposeAsync();
        lent.Streams.OnRefused(streams[^1]);
        Assert.Equal([true, false, false], streams.Skip(1).Select(stream => stream.IsAskedBack));
        streams.ForEach(stream => stream.Dispose());
    }

    // The handler has read so many bytes when it is to let go; the rest comes then.
    private static async Task<int> GoAwayPositionAsync(byte[] bytes, int before)
    {
        await using var lent = await LentPair.CreateAsync();
        var read = new byte[bytes.Length + LentPair.GoAwaySize];
        await lent.BeginAsync();
        await lent.Peer.Output.WriteAsync(bytes.AsMemory(0, before)).Guarded();
        var shown = before < Http2Frames.HeaderSize ? 0 : before; // It might be a GOAWAY.
        await lent.Stream.ReadExactlyAsync(read.AsMemory(0, shown)).Guarded();

        Assert.True(lent.Streams.Close("test"));
        await lent.Peer.Output.WriteAsync(bytes.AsMemory(before)).Guarded();
        await lent.Stream.ReadExactlyAsync(read.AsMemory(shown)).Guarded();

        byte[] goAway = [0, 0, 8, Http2Frames.GoAway, 0, 0, 0, 0, 0, 0x7f];
        var position = read.AsSpan().IndexOf(goAway);
        byte[] rest = [.. read[..position], .. read[(position + LentPair.GoAwaySize)..]];
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
}
