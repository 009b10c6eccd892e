using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Backchannel.Tests.Kit;
using Xunit;
using static Backchannel.Tests.Authority.Http2Frames;

namespace Backchannel.Tests.Authority;

/// <summary>The filter is a reader as any other, that keeps back what is not complete.</summary>
public class AuthorityReaderTests
{
    private static readonly byte[] Call = Request(1, new HpackWriter().Request().Literal(HpackWriter.Authority, "a/b", Indexing.Incremental, isHuffman: false).ToArray());
    private static readonly byte[] Filtered = [.. Call[..^2], (byte)'.', Call[^1]];

    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
    private readonly PipeReader _reader;

    public AuthorityReaderTests() => _reader = Filter(_pipe.Reader);

    [Fact]
    public async Task What_is_kept_back_does_not_end_a_read()
    {
        await WriteAsync(Opening);
        var read = await _reader.ReadAsync();
        _reader.AdvanceTo(read.Buffer.End);

        var waiting = _reader.ReadAsync().AsTask();
        foreach (var octet in Call[..^1])
        {
            await WriteAsync(octet);
            Assert.False(waiting.IsCompleted);
        }

        await WriteAsync(Call[^1]);
        Assert.Equal(Filtered, (await waiting.Guarded()).Buffer.ToArray());
    }

    [Fact]
    public async Task What_was_seen_and_not_consumed_is_seen_again_with_more()
    {
        await WriteAsync([.. Opening, .. Call[..5]]);
        Assert.True(_reader.TryRead(out var read));
        Assert.Equal(Opening, read.Buffer.ToArray());
        _reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        Assert.False(_reader.TryRead(out _));

        await WriteAsync(Call[5..^1]);
        Assert.False(_reader.TryRead(out _));
        await WriteAsync(Call[^1..]);
        Assert.True(_reader.TryRead(out read));
        Assert.Equal([.. Opening, .. Filtered], read.Buffer.ToArray());
        _reader.AdvanceTo(read.Buffer.GetPosition(3));
        Assert.True(_reader.TryRead(out read));
        Assert.Equal([.. Opening[3..], .. Filtered], read.Buffer.ToArray());
        _reader.AdvanceTo(read.Buffer.End);
        Assert.False(_reader.TryRead(out _));
    }

    [Fact]
    public async Task What_was_not_examined_is_shown_at_once_although_more_is_kept_back()
    {
        await WriteAsync([.. Opening, .. Call[..5]]);
        for (var examined = 0; examined < Opening.Length; examined++)
        {
            var read = await _reader.ReadAsync().Guarded();
            Assert.Equal(Opening, read.Buffer.ToArray());
            _reader.AdvanceTo(read.Buffer.Start, read.Buffer.GetPosition(examined));
        }

        for (var consumed = 0; consumed < Opening.Length; consumed++)
        {
            Assert.True(_reader.TryRead(out var read));
            Assert.Equal(Opening[consumed..], read.Buffer.ToArray());
            _reader.AdvanceTo(read.Buffer.GetPosition(1));
        }

        Assert.False(_reader.TryRead(out _));
    }

    [Fact]
    public async Task A_reader_may_examine_less_of_what_was_kept_back_before()
    {
        await WriteAsync([.. Opening, .. Call[..^1]]);
        Assert.True(_reader.TryRead(out var read));
        _reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        await WriteAsync(Call[^1..]);

        for (var examined = Opening.Length; examined < Opening.Length + Call.Length; examined++)
        {
            Assert.True(_reader.TryRead(out read));
            Assert.Equal([.. Opening, .. Filtered], read.Buffer.ToArray());
            _reader.AdvanceTo(read.Buffer.Start, read.Buffer.GetPosition(examined));
        }
    }

    [Fact]
    public async Task A_cancelled_read_ends_and_shows_what_may_be_seen()
    {
        var waiting = _reader.ReadAsync().AsTask();
        _reader.CancelPendingRead();
        var read = await waiting.Guarded();
        Assert.True(read is { IsCanceled: true, IsCompleted: false, Buffer.IsEmpty: true });
        _reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);

        await WriteAsync([.. Opening, .. Call[..^1]]);
        read = await _reader.ReadAsync().Guarded();
        _reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        waiting = _reader.ReadAsync().AsTask();
        Assert.False(waiting.IsCompleted);
        _reader.CancelPendingRead();
        read = await waiting.Guarded();
        Assert.True(read.IsCanceled);
        Assert.Equal(Opening, read.Buffer.ToArray());
        _reader.AdvanceTo(read.Buffer.End);

        _reader.CancelPendingRead();
        Assert.True(_reader.TryRead(out read));
        Assert.True(read is { IsCanceled: true, Buffer.IsEmpty: true });
        _reader.AdvanceTo(read.Buffer.End);
        Assert.False(_reader.TryRead(out _));
        await WriteAsync(Call[^1..]);
        Assert.Equal(Filtered, (await _reader.ReadAsync().Guarded()).Buffer.ToArray());
    }

    [Fact]
    public async Task A_token_ends_a_read_and_no_byte_is_lost()
    {
        await WriteAsync([.. Opening, .. Call[..^1]]);
        var read = await _reader.ReadAsync().Guarded();
        _reader.AdvanceTo(read.Buffer.End);
        using var giveUp = new CancellationTokenSource();
        var waiting = _reader.ReadAsync(giveUp.Token).AsTask();
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.Guarded());

        await WriteAsync(Call[^1..]);
        Assert.Equal(Filtered, (await _reader.ReadAsync().Guarded()).Buffer.ToArray());
    }

    [Fact]
    public async Task A_read_of_at_least_so_much_waits_for_what_may_be_seen()
    {
        await WriteAsync([.. Opening, .. Call[..^1]]);
        var waiting = _reader.ReadAtLeastAsync(Opening.Length + 1).AsTask();
        Assert.False(waiting.IsCompleted);
        await WriteAsync(Call[^1..]);

        var read = await waiting.Guarded();
        Assert.Equal([.. Opening, .. Filtered], read.Buffer.ToArray());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(24)]
    [InlineData(35)]
    [InlineData(50)]
    public async Task The_end_shows_what_was_kept_back(int length)
    {
        byte[] bytes = [.. Opening, .. Call];
        await WriteAsync(bytes[..length]);
        await _pipe.Writer.CompleteAsync();

        var all = await ReadAllAsync(_reader);
        Assert.Equal(bytes[..length], all);
    }

    [Fact]
    public async Task A_call_that_is_complete_at_the_end_is_filtered()
    {
        await WriteAsync([.. Opening, .. Call]);
        await _pipe.Writer.CompleteAsync();

        var all = await ReadAllAsync(_reader);
        Assert.Equal([.. Opening, .. Filtered], all);
    }

    [Fact]
    public async Task A_failure_of_what_is_read_is_the_reader_s()
    {
        await _pipe.Writer.CompleteAsync(new IOException("gone"));

        Assert.Equal("gone", (await Assert.ThrowsAsync<IOException>(() => _reader.ReadAsync().Guarded())).Message);
        Assert.Throws<IOException>(() => _reader.TryRead(out _));
    }

    [Fact]
    public async Task Completing_completes_what_is_read()
    {
        await WriteAsync([.. Opening, .. Call[..^1]]);
        await _reader.ReadAsync();
        await _reader.CompleteAsync();

        Assert.True((await _pipe.Writer.FlushAsync()).IsCompleted);
        await Assert.ThrowsAsync<InvalidOperationException>(() => _reader.ReadAsync().Guarded());
    }

    [Fact]
    public async Task A_second_read_before_the_first_was_given_back_is_an_error_and_so_is_giving_back_twice()
    {
        await WriteAsync(Opening);
        var read = await _reader.ReadAsync();
        Assert.Throws<InvalidOperationException>(() => _reader.TryRead(out _));
        _reader.AdvanceTo(read.Buffer.End);
        Assert.Throws<InvalidOperationException>(() => _reader.AdvanceTo(read.Buffer.End));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(4096)]
    public async Task All_but_authorities_passes_as_it_is(int piece)
    {
        var (bytes, expected) = Conversation();
        var reading = ReadAllAsync(_reader);
        for (var i = 0; i < bytes.Length; i += piece)
        {
            await WriteAsync(bytes[i..Math.Min(i + piece, bytes.Length)]);
        }

        await _pipe.Writer.CompleteAsync();
        Assert.Equal(expected, await reading.Guarded());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(10)]
    public async Task It_does_not_matter_into_what_pieces_memory_is_cut(int piece)
    {
        var (bytes, expected) = Conversation();
        var first = new Piece(bytes.AsMemory(0, Math.Min(piece, bytes.Length)));
        var last = first;
        for (var i = piece; i < bytes.Length; i += piece)
        {
            last = last.Append(bytes.AsMemory(i, Math.Min(piece, bytes.Length - i)));
        }

        var reader = Filter(PipeReader.Create(new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length)));
        Assert.Equal(expected, await ReadAllAsync(reader));
    }

    [Fact]
    public async Task Data_is_not_copied()
    {
        byte[] bytes = [.. Opening, .. Frame(Data, 0, 1, new byte[10_000])];
        var reader = Filter(PipeReader.Create(new ReadOnlySequence<byte>(bytes)));

        Assert.True(System.Runtime.InteropServices.MemoryMarshal.TryGetArray((await reader.ReadAsync()).Buffer.First, out var array));
        Assert.Same(bytes, array.Array);
    }

    [Fact]
    public async Task A_block_that_is_larger_than_Kestrel_takes_is_not_kept_back()
    {
        await WriteAsync([.. Opening, .. Frame(Headers, 0, 1, new byte[10_000])]);
        await AssertNextAsync(Opening.Length);
        long written = 10_009;
        while (written + 10_009 <= 128 * 1024)
        {
            await WriteAsync(Frame(Continuation, 0, 1, new byte[10_000]));
            Assert.False(_reader.TryRead(out _));
            written += 10_009;
        }

        await WriteAsync(Frame(Continuation, 0, 1, new byte[10_000])[..9]);
        await AssertNextAsync(written + 9);

        // From now on all passes, authorities too.
        await WriteAsync([.. new byte[10_000], .. Call]);
        var read = await _reader.ReadAsync().Guarded();
        Assert.Equal([.. new byte[10_000], .. Call], read.Buffer.ToArray());
    }

    private async Task AssertNextAsync(long length)
    {
        var read = await _reader.ReadAsync().Guarded();
        Assert.Equal(length, read.Buffer.Length);
        _reader.AdvanceTo(read.Buffer.End);
    }

    private static AuthorityReader Filter(PipeReader reader) => new(reader, new Http2Scanner(headerTableSize: 4096, maxFrameSize: 16_384, maxHeadersSize: 32 * 1024));

    // Everything that may come on a connection, with calls in between.
    private static (byte[] Bytes, byte[] Expected) Conversation()
    {
        byte[] Make(string authority)
        {
            HpackWriter Block() => new HpackWriter().Request("/some/path%2F@");
            var other = Block().Literal("x-authority", "a/b@%", Indexing.Incremental, true).Literal("referer", "a/b@%", Indexing.Incremental, false).ToArray();
            var first = Block().Literal(HpackWriter.Authority, authority, Indexing.Incremental, true).ToArray();
            var second = Block().Literal(":authority", authority, Indexing.Never, false).Literal("x-y", "z/@", Indexing.Without, true).ToArray();
            return
            [
                .. Opening,
                .. Request(1, other),
                .. Frame(Settings, 1, 0, []),
                .. Request(3, first, padding: 9, priority: true),
                .. Frame(Data, 0, 5, Request(7, Encoding.ASCII.GetBytes("A\u0003a/b"))),
                .. Frame(Priority, 0, 3, [0, 0, 0, 1, 9]),
                .. Continued(9, second, 3, 20, 20, 44),
                .. Frame(8, 0, 0, [0, 0, 0, 1]),
                .. Frame(0xEE, 0xFF, 0, Call),
                .. Frame(Data, Padded, 5, [3, 1, 2, 3, 0, 0, 0]),
                .. Frame(RstStream, 0, 5, [0, 0, 0, 8]),
                .. Continued(11, [.. first, .. other], [.. Enumerable.Range(1, 30)]),
                .. Frame(Ping, 0, 0, new byte[8]),
                .. Frame(GoAway, 0, 0, new byte[8]),
            ];
        }

        return (Make("multiplexed%2F[::1]:80"), Make("multiplexed-2F~xx1~:80"));
    }

    private async Task WriteAsync(params byte[] bytes) => await _pipe.Writer.WriteAsync(bytes);

    private static async Task<byte[]> ReadAllAsync(PipeReader reader)
    {
        using var all = new MemoryStream();
        await reader.CopyToAsync(all);
        return all.ToArray();
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory) => Memory = memory;

        public Piece Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Piece(memory) { RunningIndex = RunningIndex + Memory.Length };
            Next = next;
            return next;
        }
    }
}
