using Xunit;

namespace Backchannel.Tests.Authority;

/// <summary>However a header block is cut, padded or mixed with other frames, its authority is found.</summary>
public class HeaderBlockTests
{
    private const string Sent = "multiplexed%2F127.0.0.1:49636";
    private const string Seen = "multiplexed-2F127.0.0.1:49636";

    private static readonly Answer Expected = new(Seen);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Continuation_frames_may_begin_anywhere(bool isHuffman)
    {
        await using var server = await RawServer.StartAsync();
        var connection = await server.ConnectAsync();

        // With an integer of several octets, and a name spelled out, so that these are cut too.
        var block = Block(isHuffman).Literal("x-long", new string('a', 300), Indexing.Without, isHuffman).ToArray();
        for (var cut = 0; cut <= block.Length; cut++)
        {
            var stream = (2 * cut) + 1;
            Assert.Equal(Expected, await connection.CallAsync(stream, Http2Frames.Continued(stream, block, cut)));
        }
    }

    [Fact]
    public async Task Continuation_frames_may_have_an_octet_each_or_none()
    {
        await using var server = await RawServer.StartAsync();
        var connection = await server.ConnectAsync();
        var block = Block(isHuffman: true).ToArray();

        Assert.Equal(Expected, await connection.CallAsync(1, Http2Frames.Continued(1, block, [.. Enumerable.Range(1, block.Length - 1)])));
        Assert.Equal(Expected, await connection.CallAsync(3, Http2Frames.Continued(3, block, 0, 0, 20, 20, block.Length, block.Length)));
    }

    [Theory]
    [InlineData(-1, true)]
    [InlineData(0, false)]
    [InlineData(0, true)]
    [InlineData(1, false)]
    [InlineData(255, false)]
    [InlineData(255, true)]
    public async Task Padding_and_priority_are_no_part_of_a_block(int padding, bool priority)
    {
        await using var server = await RawServer.StartAsync();
        var connection = await server.ConnectAsync();

        Assert.Equal(Expected, await connection.CallAsync(1, Http2Frames.Request(1, Block(isHuffman: true).ToArray(), padding, priority)));
        Assert.Equal(Expected, await connection.CallAsync(3, Http2Frames.Request(3, Indexed(), padding, priority)));
    }

    [Fact]
    public async Task Padding_and_priority_may_go_before_continuation_frames()
    {
        await using var server = await RawServer.StartAsync();
        var connection = await server.ConnectAsync();
        var block = Block(isHuffman: true).ToArray();
        byte[] first = [7, 0, 0, 0, 0, 15, .. block[..20], .. new byte[7]];

        await connection.SendAsync(Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndStream | Http2Frames.Padded | Http2Frames.HasPriority, 1, first));

        // A CONTINUATION frame has no padding, whatever its flags say.
        Assert.Equal(
            Expected,
            await connection.CallAsync(1, Http2Frames.Frame(Http2Frames.Continuation, Http2Frames.EndHeaders | Http2Frames.Padded | Http2Frames.HasPriority, 1, block.AsSpan(20))));
    }

    [Fact]
    public async Task A_block_may_come_byte_by_byte()
    {
        await using var server = await RawServer.StartAsync();
        var connection = await server.ConnectAsync(sayHello: false);
        byte[] bytes =
        [
            .. Http2Frames.Opening,
            .. Http2Frames.Request(1, Block(isHuffman: true).ToArray(), padding: 3, priority: true),
            .. Http2Frames.Continued(3, Indexed(), 1, 2, 3),
        ];
        foreach (var octet in bytes)
        {
            await connection.SendAsync([octet]);
        }

        Assert.Equal(Expected, await connection.AnswerAsync(1));
        Assert.Equal(Expected, await connection.AnswerAsync(3));
    }

    [Fact]
    public async Task Data_of_another_call_is_left_alone()
    {
        await using var server = await RawServer.StartAsync();
        var connection = await server.ConnectAsync();

        // What the body has would be calls, if it were looked at.
        var body = Http2Frames.Request(9, Block(isHuffman: false).ToArray());
        var open = new HpackWriter().Field(HpackWriter.Post).Field(HpackWriter.Http).Literal(HpackWriter.Path, "/", Indexing.Without, false)
            .Literal(HpackWriter.Authority, Sent, Indexing.Incremental, true).ToArray();
        await connection.SendAsync(Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndHeaders, 1, open));
        for (var stream = 3; stream < 41; stream += 2)
        {
            await connection.SendAsync(Http2Frames.Frame(Http2Frames.Data, 0, 1, body), Http2Frames.Frame(Http2Frames.Ping, 0, 0, new byte[8]));
            Assert.Equal(Expected, await connection.CallAsync(stream, Http2Frames.Request(stream, Indexed())));
        }

        Assert.DoesNotContain(server.Log.Lines, line => line.Message.Contains("error", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Trailers_are_read_for_the_table_that_they_change()
    {
        await using var server = await RawServer.StartAsync();
        var connection = await server.ConnectAsync();
        var open = new HpackWriter().Field(HpackWriter.Post).Field(HpackWriter.Http).Literal(HpackWriter.Path, "/", Indexing.Without, false).ToArray();
        var trailers = new HpackWriter().Literal("x-trailer", "value", Indexing.Incremental, true).ToArray();
        await connection.SendAsync(Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndHeaders, 1, open));
        await connection.SendAsync(Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndHeaders | Http2Frames.EndStream, 1, trailers));
        Assert.Equal(new Answer(""), await connection.AnswerAsync(1));

        // The authority is named by the entry behind the trailer.
        Assert.Equal(Expected, await connection.CallAsync(3, Http2Frames.Request(3, Block(isHuffman: true).ToArray())));
        var second = new HpackWriter().Literal("x-other", "value", Indexing.Incremental, false).ToArray();
        Assert.Equal(Expected, await connection.CallAsync(5, Http2Frames.Request(5, [.. Indexed(), .. second])));
        Assert.Equal(
            new Answer("a.b"),
            await connection.CallAsync(7, Http2Frames.Request(7, new HpackWriter().Request().Literal(HpackWriter.FirstDynamic + 1, "a/b", Indexing.Never, true).ToArray())));
    }

    [Fact]
    public async Task A_table_that_is_resized_to_nothing_and_back_is_followed()
    {
        await using var server = await RawServer.StartAsync();
        var connection = await server.ConnectAsync();
        var stream = 1;
        async Task AssertAsync(HpackWriter block, string seen)
        {
            Assert.Equal(new Answer(seen), await connection.CallAsync(stream, Http2Frames.Request(stream, block.ToArray())));
            stream += 2;
        }

        await AssertAsync(Block(isHuffman: true), Seen);
        await AssertAsync(new HpackWriter().TableSize(0).Request().Literal(HpackWriter.Authority, Sent, Indexing.Incremental, true), Seen);
        await AssertAsync(new HpackWriter().TableSize(0).TableSize(4096).Request().Literal(":authority", "a/b", Indexing.Incremental, false), "a.b");
        await AssertAsync(new HpackWriter().Request().Field(HpackWriter.FirstDynamic), "a.b");
        await AssertAsync(new HpackWriter().Request().Literal(HpackWriter.FirstDynamic, "c/d", Indexing.Incremental, true), "c.d");
        await AssertAsync(new HpackWriter().Request().Literal(HpackWriter.FirstDynamic + 1, "e/f", Indexing.Without, true), "e.f");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_Kestrel_s_table_drops_is_dropped(bool isHuffman)
    {
        await using var server = await RawServer.StartAsync(options: options => options.ConfigureLimits = limits => limits.Http2.HeaderTableSize = 200);
        var connection = await server.ConnectAsync();
        var stream = 1;
        async Task AssertAsync(HpackWriter block, Answer answer)
        {
            Assert.Equal(answer, await connection.CallAsync(stream, Http2Frames.Request(stream, block.ToArray())));
            stream += 2;
        }

        // Of 45, 41, 45 and 69 bytes: 200 in all.
        await AssertAsync(new HpackWriter().Request().Literal(HpackWriter.Authority, "a/b", Indexing.Incremental, isHuffman), new("a.b"));
        await AssertAsync(new HpackWriter().Request().Literal("x-name", "val", Indexing.Incremental, isHuffman), new(""));
        await AssertAsync(new HpackWriter().Request().Literal("server", "nothing", Indexing.Incremental, isHuffman), new(""));
        await AssertAsync(new HpackWriter().Request().Literal(16, new string('a', 22), Indexing.Incremental, isHuffman), new(""));
        await AssertAsync(new HpackWriter().Request().Field(HpackWriter.FirstDynamic + 3), new("a.b"));
        await AssertAsync(new HpackWriter().Request().Literal(HpackWriter.FirstDynamic + 3, "c/d", Indexing.Without, isHuffman), new("c.d"));

        // One byte more, and the authority is gone: the same index is no field any more.
        await AssertAsync(new HpackWriter().Request().Literal(HpackWriter.Authority, "a/bc", Indexing.Incremental, isHuffman), new("a.bc"));
        await AssertAsync(new HpackWriter().Request().Literal(HpackWriter.FirstDynamic, "c/d", Indexing.Without, isHuffman), new("c.d"));
        await AssertAsync(new HpackWriter().Request().Literal(HpackWriter.FirstDynamic + 4, "c/d", Indexing.Without, isHuffman), new(null, GoAway: 9));
    }

    [Fact]
    public async Task A_field_has_the_size_of_its_characters_and_not_of_their_codes()
    {
        await using var server = await RawServer.StartAsync(options: options => options.ConfigureLimits = limits => limits.Http2.HeaderTableSize = 100);
        var connection = await server.ConnectAsync();

        // 45 bytes, and 55: as octets it would have 73, and the first would be gone.
        var block = new HpackWriter().Request().Literal(HpackWriter.Authority, "a/b", Indexing.Incremental, true).Literal("abc", new string('{', 20), Indexing.Incremental, true);
        Assert.Equal(new Answer("a.b"), await connection.CallAsync(1, Http2Frames.Request(1, block.ToArray())));
        block = new HpackWriter().Request().Literal(HpackWriter.FirstDynamic + 1, "c/d", Indexing.Without, true);
        Assert.Equal(new Answer("c.d"), await connection.CallAsync(3, Http2Frames.Request(3, block.ToArray())));
    }

    [Fact]
    public async Task A_table_may_be_large()
    {
        await using var server = await RawServer.StartAsync(options: options => options.ConfigureLimits = limits => limits.Http2.HeaderTableSize = int.MaxValue);
        var connection = await server.ConnectAsync();
        var block = new HpackWriter().TableSize(int.MaxValue).Request().Literal(HpackWriter.Authority, "a/b", Indexing.Incremental, true);

        Assert.Equal(new Answer("a.b"), await connection.CallAsync(1, Http2Frames.Request(1, block.ToArray())));
    }

    [Fact]
    public async Task A_table_that_was_emptied_grows_again()
    {
        await using var server = await RawServer.StartAsync();
        var connection = await server.ConnectAsync();
        var block = new HpackWriter().Request();
        for (var i = 0; i < 10; i++)
        {
            block.Literal("x", "y", Indexing.Incremental, isHuffman: false);
        }

        Assert.Equal(new Answer(""), await connection.CallAsync(1, Http2Frames.Request(1, block.ToArray())));
        block = new HpackWriter().TableSize(0).TableSize(4096).Request().Literal(HpackWriter.Authority, "a/b", Indexing.Incremental, isHuffman: false);
        for (var i = 0; i < 40; i++)
        {
            block.Literal("x", "y", Indexing.Incremental, isHuffman: false);
        }

        Assert.Equal(new Answer("a.b"), await connection.CallAsync(3, Http2Frames.Request(3, block.ToArray())));
        block = new HpackWriter().Request().Literal(HpackWriter.FirstDynamic + 40, "c/d", Indexing.Without, isHuffman: true);
        Assert.Equal(new Answer("c.d"), await connection.CallAsync(5, Http2Frames.Request(5, block.ToArray())));
    }

    [Fact]
    public async Task A_field_larger_than_the_table_empties_it()
    {
        await using var server = await RawServer.StartAsync();
        var connection = await server.ConnectAsync();
        Assert.Equal(Expected, await connection.CallAsync(1, Http2Frames.Request(1, Block(isHuffman: true).ToArray())));
        var large = new HpackWriter().Request().Literal("x-large", new string('a', 4096), Indexing.Incremental, isHuffman: true).ToArray();
        Assert.Equal(new Answer(""), await connection.CallAsync(3, Http2Frames.Request(3, large)));

        Assert.Equal(Expected, await connection.CallAsync(5, Http2Frames.Request(5, Block(isHuffman: true).ToArray())));
        Assert.Equal(new Answer("x.y"), await connection.CallAsync(7, Http2Frames.Request(7, new HpackWriter().Request().Literal(HpackWriter.FirstDynamic, "x/y", Indexing.Never, false).ToArray())));
    }

    [Fact]
    public async Task Many_fields_go_round_in_the_table()
    {
        await using var server = await RawServer.StartAsync();
        var connection = await server.ConnectAsync();
        for (var i = 0; i < 200; i++)
        {
            var stream = (4 * i) + 1;
            var block = new HpackWriter().Request().Literal(HpackWriter.Authority, $"a/{i}", Indexing.Incremental, isHuffman: i % 2 == 0);
            for (var k = 0; k < i % 40; k++)
            {
                block.Literal($"x-{k}", new string('v', i % 7), Indexing.Incremental, isHuffman: k % 2 == 0);
            }

            Assert.Equal(new Answer($"a.{i}"), await connection.CallAsync(stream, Http2Frames.Request(stream, block.ToArray())));
            var again = new HpackWriter().Request().Literal(HpackWriter.FirstDynamic + (i % 40), $"b/{i}", Indexing.Without, isHuffman: true).ToArray();
            Assert.Equal(new Answer($"b.{i}"), await connection.CallAsync(stream + 2, Http2Frames.Request(stream + 2, again)));
        }
    }

    [Fact]
    public async Task A_large_block_is_read_as_long_as_Kestrel_takes_it()
    {
        await using var server = await RawServer.StartAsync();
        var connection = await server.ConnectAsync();
        var block = new HpackWriter().Request().Literal(HpackWriter.Authority, Sent, Indexing.Incremental, isHuffman: true);
        for (var i = 0; i < 3; i++)
        {
            block.Literal("x-large", new string((char)('a' + i), 10_000), Indexing.Without, isHuffman: false);
        }

        var bytes = block.ToArray();
        Assert.Equal(Expected, await connection.CallAsync(1, Http2Frames.Continued(1, bytes, 100, 16_000, 20_000)));
        Assert.Equal(Expected, await connection.CallAsync(3, Http2Frames.Request(3, Indexed())));
    }

    [Fact]
    public async Task A_block_larger_than_the_window_of_its_stream_does_not_wait_for_credit()
    {
        await using var server = await RawServer.StartAsync(options: options => options.ConfigureLimits = limits => limits.MaxRequestHeadersTotalSize = 1_000_000);
        var connection = await server.ConnectAsync();
        var block = new HpackWriter().Request().Literal(HpackWriter.Authority, "host", Indexing.Without, isHuffman: false);
        for (var i = 0; i < 50; i++)
        {
            block.Literal("x-large", new string('a', 10_000), Indexing.Without, isHuffman: false);
        }

        var bytes = block.ToArray();
        Assert.Equal(new Answer("host"), await connection.CallAsync(1, Http2Frames.Continued(1, bytes, [.. Enumerable.Range(1, bytes.Length / 10_000).Select(i => i * 10_000)])));
    }

    private static HpackWriter Block(bool isHuffman) => new HpackWriter().Request().Literal(HpackWriter.Authority, Sent, Indexing.Incremental, isHuffman);

    private static byte[] Indexed() => new HpackWriter().Request().Field(HpackWriter.FirstDynamic).ToArray();
}
