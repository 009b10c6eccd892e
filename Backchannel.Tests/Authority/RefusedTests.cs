using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Backchannel.Tests.Kit;
using Xunit;

namespace Backchannel.Tests.Authority;

/// <summary>What is no proper HTTP/2 gets Kestrel's own answer.</summary>
public class RefusedTests
{
    private const int ProtocolError = 1;
    private const int FrameSizeError = 6;
    private const int CompressionError = 9;

    /// <summary>What is wrong, the bytes behind a good call, and the code with which the connection ends.</summary>
    public static TheoryData<string, byte[], int> Refused
    {
        get
        {
            byte[] Block(params byte[] end) => Http2Frames.Request(3, new HpackWriter().Request().Literal(HpackWriter.Authority, "a/b", Indexing.Without, false).Raw(end).ToArray());
            var good = new HpackWriter().Request().Literal(HpackWriter.Authority, "a/b", Indexing.Without, false).ToArray();
            return new()
            {
                { "an index that no table has", Block(0xFF, 0x00), CompressionError },
                { "a name that no table has", Block(0x7F, 0x20, 0x01, (byte)'a'), CompressionError },
                { "an integer without an end", Block(0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01), CompressionError },
                { "an integer that is cut off", Block(0xFF, 0x80), CompressionError },
                { "an integer that is longer than it need be", Block([0x00, 0x01, (byte)'x', 0x7F, 0x80, 0x00, .. new byte[127]]), CompressionError },
                { "a string that is cut off", Block(0x01, 0x05, (byte)'a'), CompressionError },
                { "a value that is missing", Block(0x01), CompressionError },
                { "an empty name", Block(0x00, 0x00, 0x01, (byte)'a'), CompressionError },
                { "padding of eight bits", Block(0x01, 0x82, 0x1F, 0xFF), CompressionError },
                { "padding with zeros", Block(0x01, 0x81, 0x18), CompressionError },
                { "the end of a string in it", Block(0x01, 0x84, 0xFF, 0xFF, 0xFF, 0xFF), CompressionError },
                { "a table larger than allowed", Http2Frames.Request(3, [.. new HpackWriter().TableSize(4097).ToArray(), .. good]), CompressionError },
                { "a table that changes within a block", Block(0x20), CompressionError },
                { "a frame that is too long", Http2Frames.Frame(Http2Frames.Ping, 0, 0, new byte[16_385]), FrameSizeError },
                { "headers that are too long", Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndHeaders, 3, new byte[16_385]), FrameSizeError },
                { "data between headers", [.. Http2Frames.Frame(Http2Frames.Headers, 0, 3, good.AsSpan(0, 5)), .. Http2Frames.Frame(Http2Frames.Data, 0, 1, [1])], ProtocolError },
                { "a ping between headers", [.. Http2Frames.Frame(Http2Frames.Headers, 0, 3, good.AsSpan(0, 5)), .. Http2Frames.Frame(Http2Frames.Ping, 0, 0, new byte[8])], ProtocolError },
                { "headers between headers", [.. Http2Frames.Frame(Http2Frames.Headers, 0, 3, good.AsSpan(0, 5)), .. Http2Frames.Request(5, good)], ProtocolError },
                { "an unknown frame between headers", [.. Http2Frames.Frame(Http2Frames.Headers, 0, 3, good.AsSpan(0, 5)), .. Http2Frames.Frame(0xEE, 0, 0, [])], ProtocolError },
                { "a continuation of another stream", [.. Http2Frames.Frame(Http2Frames.Headers, 0, 3, good.AsSpan(0, 5)), .. Http2Frames.Frame(Http2Frames.Continuation, 4, 5, good.AsSpan(5))], ProtocolError },
                { "a continuation of nothing", Http2Frames.Frame(Http2Frames.Continuation, Http2Frames.EndHeaders, 3, good), ProtocolError },
                { "headers of the connection", Http2Frames.Request(0, good), ProtocolError },
                { "padding longer than the frame", Http2Frames.Frame(Http2Frames.Headers, Http2Frames.Padded | Http2Frames.EndHeaders, 3, [200, .. good]), ProtocolError },
                { "padding without a length", Http2Frames.Frame(Http2Frames.Headers, Http2Frames.Padded | Http2Frames.EndHeaders, 3, []), FrameSizeError },
                { "priority that is cut off", Http2Frames.Frame(Http2Frames.Headers, Http2Frames.HasPriority | Http2Frames.EndHeaders, 3, [0, 0, 0, 0]), FrameSizeError },
                { "a block that is too large", TooLarge(), ProtocolError },
                { "two authorities", Block([.. new HpackWriter().Literal(HpackWriter.Authority, "c/d", Indexing.Without, true).ToArray()]), ProtocolError },
            };
        }
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_connection_that_breaks_the_protocol_ends_with_the_code_that_Kestrel_has_for_it(string what, byte[] bytes, int code)
    {
        Assert.NotEmpty(what);
        await using var server = await RawServer.StartAsync();
        var connection = await server.ConnectAsync();
        var good = new HpackWriter().Request().Literal(HpackWriter.Authority, "a/b", Indexing.Without, false).ToArray();
        Assert.Equal(new Answer("a.b"), await connection.CallAsync(1, Http2Frames.Request(1, good)));

        Assert.Equal(new Answer(null, GoAway: code), await connection.CallAsync(3, bytes));
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task What_breaks_the_protocol_passes_untouched_and_so_does_all_behind_it(string what, byte[] bytes, int code)
    {
        if (what == "two authorities")
        {
            return; // Each is as it should be, to HPACK.
        }

        Assert.NotEqual(0, code);
        byte[] sent = [.. Http2Frames.Opening, .. bytes, .. Http2Frames.Request(5, new HpackWriter().Request().Literal(HpackWriter.Authority, "a/b", Indexing.Without, false).ToArray())];
        Assert.Equal(sent, await PassAsync(sent));
    }

    [Fact]
    public async Task A_table_that_was_resized_to_nothing_and_back_is_empty()
    {
        byte[] sent =
        [
            .. Http2Frames.Opening,
            .. Http2Frames.Request(1, new HpackWriter().Literal(HpackWriter.Authority, "abc", Indexing.Incremental, isHuffman: true).ToArray()),
            .. Http2Frames.Request(3, new HpackWriter().TableSize(0).TableSize(4096).Literal(HpackWriter.FirstDynamic, "a/b", Indexing.Without, isHuffman: false).ToArray()),
        ];

        Assert.Equal(sent, await PassAsync(sent));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_field_that_Kestrel_has_dropped_is_no_field(bool isHuffman)
    {
        // Of 4,096 bytes and one.
        byte[] Call(int length) =>
        [
            .. Http2Frames.Opening,
            .. Http2Frames.Request(1, new HpackWriter().Literal(HpackWriter.Authority, "abc", Indexing.Incremental, isHuffman).Literal("x", new string('a', length), Indexing.Incremental, isHuffman).ToArray()),
            .. Http2Frames.Request(3, new HpackWriter().Literal(HpackWriter.FirstDynamic + 1, "a/b", Indexing.Without, isHuffman: false).ToArray()),
        ];
        Assert.NotEqual(Call(4096 - 45 - 33), await PassAsync(Call(4096 - 45 - 33)));
        Assert.Equal(Call(4096 - 45 - 32), await PassAsync(Call(4096 - 45 - 32)));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n")]
    [InlineData("GET / HTTP/1.0\r\n")]
    public async Task A_stream_that_is_no_HTTP_2_is_told_so(string request)
    {
        await using var server = await RawServer.StartAsync();
        var stream = await server.Session.OpenStreamAsync();
        await stream.AsStream().WriteAsync(Encoding.ASCII.GetBytes(request));
        using var reader = new StreamReader(stream.AsStream());

        Assert.StartsWith("HTTP/1.1 400 Bad Request", await reader.ReadToEndAsync().Guarded(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(23)]
    public async Task A_preface_that_is_none_gets_an_answer(int wrong)
    {
        await using var server = await RawServer.StartAsync();
        var connection = await server.ConnectAsync(sayHello: false);
        var opening = Http2Frames.Opening;
        opening[wrong] ^= 1;

        Assert.Equal(new Answer(null, GoAway: ProtocolError), await connection.CallAsync(1, [.. opening, .. new byte[10_000]]));
    }

    private static async Task<byte[]> PassAsync(byte[] bytes)
    {
        // The filter writes where it reads.
        var reader = new AuthorityReader(
            PipeReader.Create(new ReadOnlySequence<byte>(bytes.ToArray())), new Http2Scanner(headerTableSize: 4096, maxFrameSize: 16_384, maxHeadersSize: 32 * 1024));
        using var all = new MemoryStream();
        await reader.CopyToAsync(all);
        return all.ToArray();
    }

    private static byte[] TooLarge()
    {
        // Every frame is within its limit, and there is no end of them.
        List<byte> frames = [.. Http2Frames.Frame(Http2Frames.Headers, 0, 3, new HpackWriter().Request().ToArray())];
        for (var i = 0; i < 20; i++)
        {
            frames.AddRange(Http2Frames.Frame(Http2Frames.Continuation, 0, 3, new HpackWriter().Literal("x-large", new string('a', 10_000), Indexing.Without, false).ToArray()));
        }

        return [.. frames];
    }
}
