using Backchannel.Tests.Authority;
using Backchannel.Tests.Draining.Kit;
using Backchannel.Tests.Kit;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Draining;

/// <summary>A peer that has ended its stream, or failed, before it said anything: the handler is answered in its place.</summary>
public class UnansweredStreamTests
{
    [Fact]
    public async Task A_stream_that_failed_before_any_request_is_given_back_when_it_is_to_be()
    {
        var time = new FakeTimeProvider();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var lent = await LentPair.CreateAsync(_ =>
        {
            asked.SetResult(); // The reader has seen the failure, and goes on to wait for a request.
            return "why";
        }, time);
        await lent.Stream.WriteAsync(Http2Frames.Opening).Guarded();
        lent.Peer.Abort();
        var waiting = lent.Stream.ReadAsync(new byte[100]).AsTask();
        await asked.Task.Guarded();
        Assert.False(waiting.IsCompleted);

        lent.Streams.Close("test");
        await Guard.Until(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1)); // It may not have come to wait for a first request yet.
            return waiting.IsCompleted;
        }, "it is given back");

        Assert.StartsWith("why", (await Assert.ThrowsAsync<NotDispatchedException>(() => waiting.Guarded())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_that_was_on_its_way_when_the_stream_failed_and_was_to_be_given_back_is_answered()
    {
        await using var lent = await LentPair.CreateAsync(_ => "why");
        await lent.Stream.WriteAsync(Http2Frames.Opening).Guarded();
        lent.Peer.Abort();
        var answer = new byte[Http2Refusal.Create([1], "why (Yamux stream 1 was reset by the peer.)").Length];
        var reading = lent.Stream.ReadExactlyAsync(answer).AsTask();
        lent.Streams.Close("test");
        Assert.False(reading.IsCompleted);

        await lent.Stream.WriteAsync(LentPair.Request.AsMemory(Http2Frames.Opening.Length)).Guarded();

        await reading.Guarded();
        Assert.Equal(LentPair.Settings, answer[..LentPair.Settings.Length]);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(100, false)]
    [InlineData(1, true)]
    [InlineData(100, true)]
    public async Task A_peer_that_ends_the_stream_unanswered_is_answered_for_once_for_each_request(int pieces, bool inOrder)
    {
        await using var lent = await LentPair.CreateAsync(_ => "100% why", TimeProvider.System);
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
            await lent.Stream.WriteAsync(piece).Guarded();
        }

        if (inOrder)
        {
            await lent.Peer.Output.CompleteAsync().Guarded();
        }
        else
        {
            lent.Peer.Abort();
        }

        var types = new List<(byte Type, int Stream)>();
        var blocks = new List<string>();
        byte[] last;
        do
        {
            var header = new byte[9];
            await lent.Stream.ReadExactlyAsync(header).Guarded();
            var payload = new byte[(header[1] << 8) | header[2]];
            await lent.Stream.ReadExactlyAsync(payload).Guarded();
            types.Add((header[3], header[8]));
            blocks.Add(System.Text.Encoding.ASCII.GetString(payload));
            last = payload;
        }
        while (types[^1].Type != Http2Frames.GoAway);

        Assert.Equal(
            [(Http2Frames.Settings, 0), (Http2Frames.Headers, 1), (Http2Frames.RstStream, 1), (Http2Frames.Headers, 3), (Http2Frames.RstStream, 3), (Http2Frames.GoAway, 0)], types);
        Assert.Contains("100%25%20why", blocks[1], StringComparison.Ordinal);
        Assert.Equal([.. LentPair.OurGoAway[Http2Frames.HeaderSize..]], last);
        var waiting = lent.Stream.ReadAsync(new byte[1]);
        Assert.False(waiting.IsCompleted);
        await lent.Stream.DisposeAsync();
        Assert.Equal(0, await waiting.Guarded());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_request_that_comes_after_the_answer_of_ours_is_refused_for_another_connection(bool isRead)
    {
        await using var lent = await LentPair.CreateAsync(_ => "why");
        await lent.Stream.WriteAsync(LentPair.Request).Guarded();
        lent.Peer.Abort();
        var answer = new byte[Http2Refusal.Create([1], "why (Yamux stream 1 was reset by the peer.)").Length];
        await lent.Stream.ReadExactlyAsync(answer.AsMemory(0, 5)).Guarded();
        var refused = new byte[Http2Frames.HeaderSize + sizeof(int)];
        Task? reading = null;
        if (isRead)
        {
            await lent.Stream.ReadExactlyAsync(answer.AsMemory(5)).Guarded();
            reading = lent.Stream.ReadExactlyAsync(refused).AsTask();
            Assert.False(reading.IsCompleted);
        }

        await lent.Stream.WriteAsync(Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndHeaders, 3, [0x82])).Guarded();

        if (reading is null)
        {
            await lent.Stream.ReadExactlyAsync(answer.AsMemory(5)).Guarded();
            reading = lent.Stream.ReadExactlyAsync(refused).AsTask();
        }

        await reading.Guarded();
        Assert.Equal(LentPair.OurGoAway, answer[^LentPair.GoAwaySize..]); // It leaves out none: SocketsHttpHandler takes that for a fault while it sends the body.
        Assert.Equal(Http2Frames.Frame(Http2Frames.RstStream, 0, 3, [0, 0, 0, 7]), refused);
        var waiting = lent.Stream.ReadAsync(new byte[1]);
        await lent.Stream.DisposeAsync();
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
        await stream.WriteAsync(LentPair.Request).Guarded();
        var settings = new byte[LentPair.Settings.Length];
        var reading = stream.ReadExactlyAsync(settings).AsTask();

        await Guard.Until(() =>
        {
            time.Advance(TimeSpan.FromSeconds(10));
            return reading.IsCompleted;
        }, "it is given up");

        await reading;
        Assert.Equal(LentPair.Settings, settings); // Of our answer.
        Assert.Equal(reason, failure?.ErrorCode);
        Assert.StartsWith("The server took the connection and said nothing: ", ServerAnswer.Explain(failure, isTls: false), StringComparison.Ordinal);
        await stream.DisposeAsync();
        session.Abort(); // It would wait for a peer that never answers, on a clock that stands still.
    }

    [Fact]
    public async Task An_answer_of_ours_that_is_half_read_is_read_to_its_end_when_the_handler_is_to_let_go()
    {
        await using var lent = await LentPair.CreateAsync(_ => "why");
        await lent.Stream.WriteAsync(LentPair.Request).Guarded();
        lent.Peer.Abort();
        var expected = Http2Refusal.Create([1], "why (Yamux stream 1 was reset by the peer.)");
        var answer = new byte[expected.Length];
        await lent.Stream.ReadExactlyAsync(answer.AsMemory(0, 5)).Guarded();

        lent.Streams.Close("test");
        await lent.Stream.ReadExactlyAsync(answer.AsMemory(5)).Guarded();

        Assert.Equal(expected, answer);
    }
}
