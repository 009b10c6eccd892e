using Backchannel.Tests.Kit;
using ListenMux;
using Microsoft.AspNetCore.Connections;
using Xunit;

namespace Backchannel.Tests.Authority;

/// <summary>Whatever authority a server's gRPC client sends, its calls reach the client's services.</summary>
public class AuthorityTests
{
    /// <summary>What is sent, and the host that services see: the same whether it is Huffman-coded, unless a third column has that.</summary>
    public static TheoryData<string, string, string?> Authorities => new()
    {
        { "multiplexed%2F127.0.0.1:49636", "multiplexed-2F127.0.0.1:49636", null },
        { "multiplexed/127.0.0.1:49636", "multiplexed.127.0.0.1:49636", null },
        { "multiplexed%2F[::1]:49636", "multiplexed-2F~xx1~:49636", null },
        { "multiplexed/[fe80::1%25eth0]:49636", "multiplexed.~fe80xx1-25eth0~:49636", null },
        { "multiplexed%2F@", "multiplexed-2F~", null },
        { "multiplexed/@", "multiplexed.~", null },
        { "multiplexed/", "multiplexed.", null },
        { "multiplexed%2F", "multiplexed-2F", null },
        { "multiplexed//tmp/x.sock", "multiplexed..tmp.x.sock", null },
        { "multiplexed%2F%2Ftmp%2Fx.sock", "multiplexed-2F-2Ftmp-2Fx.sock", null },
        { "@", "~", null },
        { "user:password@host:80", "userxpassword~host:80", null },
        { "a:b:c", "axbxc", null },
        { "host:80:443", "hostx80:443", null },
        { "host:", "hostx", null },
        { "host:http", "hostxhttp", null },
        { "host:80 ", "hostx80-", null },
        { ":80", "x80", null },
        { ":", "x", null },
        { "two words", "two-words", null },
        { " ", "-", null },
        { "[::1", "~x:1", null },
        { "[]", "~~", null },
        { "[::1]x", "~xx1~x", null },
        { "[::1]:", "~xx1~x", null },
        { "tab\there", "tab~here", "~ab~here" },
        { "a#b", "a'b", null },
        { "line\r\nline", "line~~line", "~~~~~~line" },
        { "a\0b", "a~b", null },
        { "{\"^`<>|,;*+?=}\\", "~!~~~''XXX'!-~~", "~~~~~~~~XX'!-~~" },
        { "m\u00FCltiplexed/\u00E9", "m~ltiplexed.~", "~~~~iplexed.~" },
        { new string('%', 299) + "/", new string('-', 299) + ".", null },
        { new string('@', 1000), new string('~', 1000), null },
    };

    /// <summary>What Kestrel takes as it is.</summary>
    public static TheoryData<string> Hosts =>
    [
        "", "localhost", "localhost:5001", "127.0.0.1:80", "[::1]", "[::1]:5", "[::ffff:127.0.0.1]:65536", "$&'()-._~!", "host:99999999999999999999", new string('a', 300),
    ];

    [Theory]
    [MemberData(nameof(Authorities))]
    public async Task A_call_with_an_authority_that_is_no_host_reaches_the_service(string authority, string raw, string? coded)
    {
        await using var server = await RawServer.StartAsync();
        foreach (var isHuffman in (bool[])[true, false])
        {
            // A code that is longer than any of a host's is made up for elsewhere.
            var seen = isHuffman && coded is not null ? coded : raw;
            foreach (var name in (string[])[":authority", "host"])
            {
                await AssertSeenAsync(server, name, authority, seen, isHuffman);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Hosts))]
    public async Task An_authority_that_is_a_host_is_what_the_service_sees(string host)
    {
        await using var server = await RawServer.StartAsync();
        foreach (var isHuffman in (bool[])[true, false])
        {
            await AssertSeenAsync(server, ":authority", host, host, isHuffman);
        }
    }

    [Fact]
    public async Task A_call_without_an_authority_reaches_the_service()
    {
        await using var server = await RawServer.StartAsync();
        var connection = await server.ConnectAsync();

        Assert.Equal(new Answer(""), await connection.CallAsync(1, Http2Frames.Request(1, new HpackWriter().Request().ToArray())));
    }

    [Theory]
    [InlineData("a/b", "c/d", "a.b")]
    [InlineData("a/b", "good", "a.b")]
    [InlineData("good", "c/d", "good")]
    [InlineData("", "c/d", "c.d")]
    public async Task The_authority_goes_before_a_host_beside_it(string authority, string host, string seen)
    {
        await using var server = await RawServer.StartAsync();
        var connection = await server.ConnectAsync();
        var block = new HpackWriter().Request()
            .Literal(HpackWriter.Authority, authority, Indexing.Incremental, isHuffman: true)
            .Literal(HpackWriter.Host, host, Indexing.Incremental, isHuffman: true).ToArray();

        Assert.Equal(new Answer(seen), await connection.CallAsync(1, Http2Frames.Request(1, block)));
    }

    [Fact]
    public async Task A_code_that_is_longer_than_that_of_any_host_leaves_the_call_to_Kestrel()
    {
        await using var server = await RawServer.StartAsync();
        var connection = await server.ConnectAsync();
        byte[] Block(string authority) => new HpackWriter().Request().Literal(HpackWriter.Authority, authority, Indexing.Incremental, isHuffman: true).ToArray();

        Assert.Equal(new Answer(null, Reset: 1), await connection.CallAsync(1, Http2Frames.Request(1, Block("\\\\\\\\"))));
        Assert.Equal(new Answer("a.b"), await connection.CallAsync(3, Http2Frames.Request(3, Block("a/b"))));
    }

    [Fact]
    public async Task A_gRPC_call_with_the_authority_of_a_Gitaly_server_is_answered()
    {
        await using var server = await RawServer.StartAsync();
        var connection = await server.ConnectAsync();
        var block = new HpackWriter().Field(HpackWriter.Post).Field(HpackWriter.Http)
            .Literal(HpackWriter.Path, "/backchannel.tests.Tester/Unary", Indexing.Incremental, isHuffman: true)
            .Literal(HpackWriter.Authority, "multiplexed%2F127.0.0.1:49636", Indexing.Incremental, isHuffman: true)
            .Literal("content-type", "application/grpc", Indexing.Incremental, isHuffman: true)
            .Literal("te", "trailers", Indexing.Incremental, isHuffman: true).ToArray();
        await connection.SendAsync(Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndHeaders, 1, block));

        var answer = await connection.CallAsync(1, Http2Frames.Frame(Http2Frames.Data, Http2Frames.EndStream, 1, new byte[5]));
        Assert.Contains("raw", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_mux_on_the_streams_takes_for_itself_is_not_changed()
    {
        await using var server = await RawServer.StartAsync(
            options => options.ConfigureStreams = streams => streams.UseListenMux(mux => mux.Map("hello there"u8, async (stream, _) => await stream.Transport.Input.CopyToAsync(stream.Transport.Output))));
        byte[] call = [.. Http2Frames.Opening, .. Http2Frames.Request(1, new HpackWriter().Request().Literal(HpackWriter.Authority, "a/b", Indexing.Without, isHuffman: false).ToArray())];
        await using var stream = await server.Session.OpenStreamAsync().Guarded();
        await stream.AsStream().WriteAsync(new byte[][] { [.. "hello there"u8], call }.SelectMany(bytes => bytes).ToArray());
        var echo = new byte[call.Length];
        await stream.AsStream().ReadExactlyAsync(echo).Guarded();
        Assert.Equal(call, echo);

        // And what it passes on is.
        var connection = await server.ConnectAsync(sayHello: false);
        Assert.Equal(new Answer("a.b"), await connection.CallAsync(1, call));
    }

    // First as a literal, its name from the static table, spelled out, or from the dynamic table; then from there as a whole.
    private static async Task AssertSeenAsync(RawServer server, string name, string authority, string seen, bool isHuffman)
    {
        var connection = await server.ConnectAsync();
        var stream = 1;
        async Task AssertCallAsync(HpackWriter block)
        {
            Assert.Equal(new Answer(seen), await connection.CallAsync(stream, Http2Frames.Request(stream, block.ToArray())));
            stream += 2;
        }

        // Kestrel wants pseudo headers first.
        HpackWriter Begin() => new HpackWriter().Request();
        var index = name == "host" ? HpackWriter.Host : HpackWriter.Authority;
        foreach (var indexing in Enum.GetValues<Indexing>())
        {
            await AssertCallAsync(Begin().Literal(index, authority, indexing, isHuffman));
            await AssertCallAsync(Begin().Literal(name, authority, indexing, isHuffman));
        }

        await AssertCallAsync(Begin().Field(HpackWriter.FirstDynamic));
        await AssertCallAsync(Begin().Field(HpackWriter.FirstDynamic + 1));
        await AssertCallAsync(Begin().Literal(HpackWriter.FirstDynamic, authority, Indexing.Incremental, isHuffman));
        await AssertCallAsync(Begin().Field(HpackWriter.FirstDynamic));
    }
}
