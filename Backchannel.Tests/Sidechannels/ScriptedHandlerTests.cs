using System.Buffers.Binary;
using System.Text;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Sidechannel;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Sidechannels;

/// <summary>A caller whose handler says what it likes, byte by byte.</summary>
public sealed class ScriptedHandlerTests
{
    [Fact]
    public async Task The_caller_says_ok_and_sends_packets_of_at_most_65516_bytes()
    {
        await using var pair = await StartAsync();
        var bytes = Content.Bytes(65_516 + 10);
        var waiter = pair.Client.Sidechannels.Register((channel, ct) => channel.WriteAsync(bytes, ct).AsTask());

        await using var stream = await pair.OpenAsync("sidechannel" + Id(waiter.Id));
        var sent = new MemoryStream();
        await stream.AsStream().CopyToAsync(sent).Guarded();

        var expected = "okfff0"u8.ToArray().Concat(bytes[..65_516]).Concat("000e"u8.ToArray()).Concat(bytes[65_516..]).Concat("0000"u8.ToArray());
        Assert.True(expected.SequenceEqual(sent.ToArray()), "the bytes on the wire are others");
        await waiter.WaitAsync().Guarded();
    }

    [Fact]
    public async Task An_id_in_pieces_is_an_id()
    {
        await using var pair = await StartAsync();
        var waiter = pair.Client.Sidechannels.Register((_, _) => Task.CompletedTask);

        await using var stream = await pair.OpenAsync("");
        foreach (var letter in "sidechannel" + Id(waiter.Id))
        {
            await stream.AsStream().WriteAsync(Encoding.Latin1.GetBytes([letter]));
        }

        using var reader = new StreamReader(stream.AsStream());
        Assert.Equal("ok0000", await reader.ReadToEndAsync().Guarded());
        await waiter.WaitAsync().Guarded();
    }

    [Theory]
    [InlineData("sidechannel")]
    [InlineData("sidechannel\0\0\0\0\0\0\0")]
    public async Task A_handler_that_does_not_say_its_id_is_given_up_after_five_seconds(string hello)
    {
        await using var pair = await StartAsync();
        var waiter = pair.Client.Sidechannels.Register((_, _) => Task.CompletedTask);
        await using var stream = await pair.OpenAsync(hello);

        await pair.Time.AnswerAwaited.Guarded(); // When the client has read the magic.
        pair.Time.Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromTicks(1));
        Assert.DoesNotContain(pair.Client.Log.Lines, line => line.Event.Name == "HandshakeLost");
        pair.Time.Advance(TimeSpan.FromTicks(1));
        await Guard.Until(() => pair.Client.Log.Lines.Any(line => line.Event.Name == "HandshakeLost"), "the client gives it up");

        Assert.Equal(0, await stream.AsStream().ReadAsync(new byte[1]).Guarded());
        Assert.Equal(1, pair.Client.Sidechannels.Count);
        await waiter.DisposeAsync().Guarded();
    }

    [Fact]
    public async Task A_handler_that_goes_before_its_id_leaves_nothing()
    {
        await using var pair = await StartAsync();

        (await pair.OpenAsync("sidechannel\0")).Abort();

        await pair.AssertNoStreamsAsync();
        await pair.Client.EndAsync();
    }

    [Fact]
    public async Task An_unknown_id_is_closed_without_a_word()
    {
        await using var pair = await StartAsync();

        await using var stream = await pair.OpenAsync("sidechannel" + Id(77));

        Assert.Equal(0, await stream.AsStream().ReadAsync(new byte[1]).Guarded());
        Assert.Contains(pair.Client.Log.Lines, line => line.Event.Name == "UnknownId" && line.Message.Contains("77", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_handler_that_dies_in_the_middle_fails_the_callback()
    {
        await using var pair = await StartAsync();
        var waiter = pair.Client.Sidechannels.Register((channel, ct) => Content.DigestAsync(channel, ct));
        var stream = await pair.OpenAsync("sidechannel" + Id(waiter.Id));
        await stream.AsStream().ReadExactlyAsync(new byte[2]).AsTask().Guarded();
        await stream.AsStream().WriteAsync("some bytes"u8.ToArray());

        stream.Abort();

        Assert.Equal(YamuxErrorCode.StreamReset, (await Assert.ThrowsAsync<YamuxException>(() => waiter.WaitAsync().Guarded())).ErrorCode);
        await pair.AssertNoStreamsAsync();
    }

    [Fact]
    public async Task A_client_that_is_disposed_fails_the_callback()
    {
        await using var pair = await StartAsync();
        var waiter = pair.Client.Sidechannels.Register((channel, ct) => Content.DigestAsync(channel, ct));
        var stream = await pair.OpenAsync("sidechannel" + Id(waiter.Id));
        await stream.AsStream().ReadExactlyAsync(new byte[2]).AsTask().Guarded();

        await pair.Client.DisposeAsync();

        await Assert.ThrowsAsync<YamuxException>(() => waiter.WaitAsync().Guarded());
    }

    [Fact]
    public async Task What_is_neither_a_sidechannel_nor_HTTP_is_closed()
    {
        await using var pair = await StartAsync();

        await using var stream = await pair.OpenAsync("something else, and no HTTP\r\n\r\n");

        await stream.AsStream().CopyToAsync(Stream.Null).Guarded();
        pair.Client.Log.AssertNoErrors();
    }

    private static string Id(long id)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, id);
        return Encoding.Latin1.GetString(bytes);
    }

    private static async Task<Pair> StartAsync()
    {
        var server = await TransferServer.StartAsync((_, context) => Task.FromResult(new Done { Size = context.GetBackchannelPeer().Id }));
        var time = new HandshakeClock();
        var client = new TransferClient(server, time: time);
        var id = (await client.Server.RunAsync(new Job()).ResponseAsync.Guarded()).Size;
        Assert.True(server.Peers.TryGetPeer(id, out var peer));
        return new Pair(server, client, peer.Session, time);
    }

    private sealed record Pair(TransferServer Server, TransferClient Client, YamuxSession Session, HandshakeClock Time) : IAsyncDisposable
    {
        public async Task<YamuxStream> OpenAsync(string hello)
        {
            var stream = await Session.OpenStreamAsync().Guarded();
            if (hello.Length > 0)
            {
                await stream.AsStream().WriteAsync(Encoding.Latin1.GetBytes(hello));
            }

            return stream;
        }

        /// <summary>But the one of the client's own connection.</summary>
        public Task AssertNoStreamsAsync() => Guard.Until(() => Session.StreamCount == 1, "the session forgets the stream");

        public async ValueTask DisposeAsync()
        {
            await Client.DisposeAsync();
            await Server.DisposeAsync();
        }
    }
}
