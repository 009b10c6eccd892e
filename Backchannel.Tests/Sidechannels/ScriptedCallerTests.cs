using System.Text;
using Backchannel.Tests.Kit;
using Sidechannel;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Sidechannels;

/// <summary>A handler whose caller says what it likes, byte by byte.</summary>
public sealed class ScriptedCallerTests : IAsyncDisposable
{
    private readonly HandshakeClock _time = new();
    private readonly YamuxSession _handler;
    private readonly YamuxSession _caller;

    public ScriptedCallerTests()
    {
        var (near, far) = DuplexPipe.CreatePair();
        _handler = YamuxSession.Create(near, YamuxRole.Server, new YamuxOptions { TimeProvider = _time, EnableKeepAlive = false });
        _caller = YamuxSession.Create(far, YamuxRole.Client, new YamuxOptions { EnableKeepAlive = false });
    }

    public async ValueTask DisposeAsync()
    {
        await _handler.DisposeAsync();
        await _caller.DisposeAsync();
    }

    [Fact]
    public async Task The_handler_says_sidechannel_and_the_id_in_big_endian()
    {
        var opening = _handler.OpenSidechannelAsync(0x0102030405060708);
        await using var stream = await AcceptAsync();

        Assert.Equal("sidechannel"u8.ToArray().Concat(new byte[] { 1, 2, 3, 4, 5, 6, 7, 8 }), await ReadHelloAsync(stream));

        await stream.AsStream().WriteAsync("ok"u8.ToArray());
        await (await opening.Guarded()).DisposeAsync();
    }

    [Fact]
    public async Task A_caller_that_takes_the_stream_and_says_nothing_is_given_up_after_five_seconds()
    {
        var opening = _handler.OpenSidechannelAsync(3).AsTask();
        await using var stream = await AcceptAsync();
        await ReadHelloAsync(stream);
        await _time.AnswerAwaited.Guarded();

        _time.Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromTicks(1));
        Assert.False(opening.IsCompleted);
        _time.Advance(TimeSpan.FromTicks(1));

        await AssertGivenUpAsync(opening, "5 s");
    }

    [Fact]
    public async Task A_caller_that_says_something_else_meanwhile_has_the_time_in_which_a_stream_must_be_acknowledged()
    {
        var opening = _handler.OpenSidechannelAsync(3).AsTask();
        await using var stream = await AcceptAsync();
        await ReadHelloAsync(stream);
        await _time.AnswerAwaited.Guarded();

        for (var seconds = 5; seconds < 75; seconds += 5)
        {
            await _caller.PingAsync().Guarded();
            _time.Advance(TimeSpan.FromSeconds(5));
            Assert.False(opening.IsCompleted);
        }

        await _caller.PingAsync().Guarded();
        _time.Advance(TimeSpan.FromSeconds(5));

        await AssertGivenUpAsync(opening, "75 s");
    }

    [Fact]
    public async Task An_answer_that_stands_behind_other_bytes_of_the_callers_is_one()
    {
        var opening = _handler.OpenSidechannelAsync(3).AsTask();
        await using var stream = await AcceptAsync();
        await ReadHelloAsync(stream);
        await _time.AnswerAwaited.Guarded();
        for (var seconds = 0; seconds < 60; seconds += 5)
        {
            await _caller.PingAsync().Guarded();
            _time.Advance(TimeSpan.FromSeconds(5));
        }

        await stream.AsStream().WriteAsync("ok"u8.ToArray());

        await (await opening.Guarded()).DisposeAsync();
    }

    [Fact]
    public async Task A_caller_that_does_not_acknowledge_the_stream_is_given_up_when_that_is_due()
    {
        var opening = _handler.OpenSidechannelAsync(3).AsTask();
        await Guard.Until(() => _caller.StreamCount == 1, "the caller's session knows of the stream");

        _time.Advance(TimeSpan.FromSeconds(75) - TimeSpan.FromTicks(1));
        Assert.False(opening.IsCompleted);
        _time.Advance(TimeSpan.FromTicks(1));

        await AssertGivenUpAsync(opening, "75 s");
    }

    [Fact]
    public async Task A_number_below_0_is_no_id()
        => await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => _handler.OpenSidechannelAsync(-1).AsTask());

    [Fact]
    public async Task Half_an_ok_is_none()
    {
        var opening = _handler.OpenSidechannelAsync(0).AsTask();
        await using var stream = await AcceptAsync();
        await stream.AsStream().WriteAsync("o"u8.ToArray());

        await stream.DisposeAsync();

        Assert.Equal(SidechannelErrorCode.Refused, (await Assert.ThrowsAsync<SidechannelException>(() => opening.Guarded())).ErrorCode);
        await AssertNoStreamsAsync();
    }

    [Fact]
    public async Task A_reset_is_a_refusal()
    {
        var opening = _handler.OpenSidechannelAsync(0).AsTask();

        (await AcceptAsync()).Abort();

        var failure = await Assert.ThrowsAsync<SidechannelException>(() => opening.Guarded());
        Assert.Equal(SidechannelErrorCode.Refused, failure.ErrorCode);
        Assert.IsType<YamuxException>(failure.InnerException);
        await AssertNoStreamsAsync();
    }

    [Fact]
    public async Task Something_else_than_ok_is_told()
    {
        var opening = _handler.OpenSidechannelAsync(0).AsTask();
        await using var stream = await AcceptAsync();

        await stream.AsStream().WriteAsync("OK"u8.ToArray());

        var failure = await Assert.ThrowsAsync<SidechannelException>(() => opening.Guarded());
        Assert.Equal(SidechannelErrorCode.HandshakeFailed, failure.ErrorCode);
        Assert.Contains("the bytes 4F4B instead of \"ok\"", failure.Message, StringComparison.Ordinal);
        await AssertNoStreamsAsync();
    }

    [Fact]
    public async Task A_handler_can_give_up()
    {
        using var source = new CancellationTokenSource();
        var opening = _handler.OpenSidechannelAsync(0, source.Token).AsTask();
        await using var stream = await AcceptAsync();

        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening.Guarded());
        await AssertNoStreamsAsync();
    }

    [Fact]
    public async Task A_connection_that_ends_in_the_handshake_is_a_YamuxException()
    {
        var opening = _handler.OpenSidechannelAsync(0).AsTask();
        await AcceptAsync();

        await _caller.DisposeAsync();

        await Assert.ThrowsAsync<YamuxException>(() => opening.Guarded());
    }

    [Theory]
    [InlineData("0000", "")]
    [InlineData("0005a0000", "a")]
    [InlineData("0004000400050000", null)]
    [InlineData("0004" + "0005b" + "0004" + "0006cd" + "0000", "bcd")]
    [InlineData("000ahellos0000", "hellos")]
    [InlineData("000Ahellos0000", "hellos")]
    public async Task Packets_are_put_together_however_they_arrive(string packets, string? expected)
    {
        foreach (var piece in (int[])[1, 2, 3, 5, 7, packets.Length])
        {
            var (channel, stream) = await OpenAsync();
            var sending = SendInPiecesAsync(stream, packets, piece);
            using var reader = new StreamReader(channel);

            if (expected is null)
            {
                Assert.Equal(SidechannelErrorCode.Truncated, (await Assert.ThrowsAsync<SidechannelException>(() => reader.ReadToEndAsync().Guarded())).ErrorCode);
            }
            else
            {
                Assert.Equal(expected, await reader.ReadToEndAsync().Guarded());
                Assert.Equal(0, await channel.ReadAsync(new byte[1]).Guarded());
            }

            await sending.Guarded();
            await channel.DisposeAsync();
        }

        await AssertNoStreamsAsync();
    }

    [Theory]
    [InlineData("", SidechannelErrorCode.Truncated, "")]
    [InlineData("00", SidechannelErrorCode.Truncated, "")]
    [InlineData("0008ab", SidechannelErrorCode.Truncated, "ab")]
    [InlineData("0005a", SidechannelErrorCode.Truncated, "a")]
    [InlineData("0005a0001", SidechannelErrorCode.Malformed, "a")]
    [InlineData("0002", SidechannelErrorCode.Malformed, "")]
    [InlineData("0003x", SidechannelErrorCode.Malformed, "")]
    [InlineData("0005agarbage", SidechannelErrorCode.Malformed, "a")]
    [InlineData("+005a", SidechannelErrorCode.Malformed, "")]
    [InlineData(" 005a", SidechannelErrorCode.Malformed, "")]
    [InlineData("005 a0000", SidechannelErrorCode.Malformed, "")]
    [InlineData("0x05a0000", SidechannelErrorCode.Malformed, "")]
    public async Task Bytes_that_are_no_packets_or_do_not_end_are_an_error_behind_what_was_good(string packets, SidechannelErrorCode expected, string good)
    {
        foreach (var piece in (int[])[1, 3, 100])
        {
            var (channel, stream) = await OpenAsync();
            var sending = SendInPiecesAsync(stream, packets, piece);
            var got = new MemoryStream();

            var failure = await Assert.ThrowsAsync<SidechannelException>(() => channel.CopyToAsync(got).Guarded());

            Assert.Equal(expected, failure.ErrorCode);
            Assert.Equal(good, Encoding.ASCII.GetString(got.ToArray()));
            Assert.Equal(expected, (await Assert.ThrowsAsync<SidechannelException>(() => channel.ReadAsync(new byte[1]).Guarded())).ErrorCode);
            await sending.Guarded();
            await channel.DisposeAsync();
        }

        await AssertNoStreamsAsync();
    }

    [Fact]
    public async Task A_caller_that_dies_in_the_middle_is_no_end()
    {
        var (channel, stream) = await OpenAsync();
        await stream.AsStream().WriteAsync("0006ab"u8.ToArray());
        Assert.Equal(2, await channel.ReadAsync(new byte[10]).Guarded());

        stream.Abort();

        Assert.Equal(YamuxErrorCode.StreamReset, (await Assert.ThrowsAsync<YamuxException>(() => channel.ReadAsync(new byte[1]).Guarded())).ErrorCode);
        await channel.DisposeAsync();
        await AssertNoStreamsAsync();
    }

    [Fact]
    public async Task The_handlers_bytes_are_raw_and_end_with_FIN()
    {
        var (channel, stream) = await OpenAsync();

        await channel.WriteAsync("raw"u8.ToArray());
        await channel.CompleteWritesAsync();

        using var reader = new StreamReader(stream.AsStream());
        Assert.Equal("raw", await reader.ReadToEndAsync().Guarded());
        await channel.DisposeAsync();
    }

    private async Task<(SidechannelStream Channel, YamuxStream Stream)> OpenAsync()
    {
        var opening = _handler.OpenSidechannelAsync(0);
        var stream = await AcceptAsync();
        await ReadHelloAsync(stream);
        await stream.AsStream().WriteAsync("ok"u8.ToArray());
        return (await opening.Guarded(), stream);
    }

    private async Task<YamuxStream> AcceptAsync() => (await _caller.AcceptStreamAsync().Guarded())!;

    private static async Task<byte[]> ReadHelloAsync(YamuxStream stream)
    {
        var hello = new byte[19];
        await stream.AsStream().ReadExactlyAsync(hello).Guarded();
        return hello;
    }

    // Each piece is on its way before the next, and the end after the last.
    private static async Task SendInPiecesAsync(YamuxStream stream, string text, int size)
    {
        foreach (var piece in Encoding.ASCII.GetBytes(text).Chunk(size))
        {
            await stream.AsStream().WriteAsync(piece);
            await Task.Yield();
        }

        await stream.DisposeAsync();
    }

    private Task AssertNoStreamsAsync() => Guard.Until(() => _handler.StreamCount == 0, "the handler's session forgets its streams");

    private async Task AssertGivenUpAsync(Task<SidechannelStream> opening, string limit)
    {
        var failure = await Assert.ThrowsAsync<SidechannelException>(() => opening.Guarded());
        Assert.Equal(SidechannelErrorCode.HandshakeTimeout, failure.ErrorCode);
        Assert.Contains("idechannel 3", failure.Message, StringComparison.Ordinal);
        Assert.Contains(limit, failure.Message, StringComparison.Ordinal);
        await AssertNoStreamsAsync();
    }
}
