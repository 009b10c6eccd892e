namespace Yamux.Tests.Face;

/// <summary>A yamux stream as a <see cref="Stream"/>.</summary>
public class StreamAdapterTests
{
    [Fact]
    public async Task It_is_one_object_that_reads_and_writes_and_does_not_seek()
    {
        await using var t = Scenario.Client();
        var yamux = await t.OpenAsync();
        var stream = yamux.AsStream();

        Assert.Same(stream, yamux.AsStream());
        Assert.True(stream is { CanRead: true, CanWrite: true, CanSeek: false });
        Assert.Throws<NotSupportedException>(() => stream.Length);
        Assert.Throws<NotSupportedException>(() => stream.Position);
        Assert.Throws<NotSupportedException>(() => stream.Position = 1);
        Assert.Throws<NotSupportedException>(() => stream.Seek(0, SeekOrigin.Begin));
        Assert.Throws<NotSupportedException>(() => stream.SetLength(0));
    }

    [Theory]
    [InlineData("WriteAsync(memory)")]
    [InlineData("WriteAsync(array)")]
    [InlineData("Write(array)")]
    [InlineData("Write(span)")]
    [InlineData("BeginWrite")]
    [InlineData("WriteByte")]
    public async Task Every_write_flushes_itself(string how)
    {
        await using var t = Scenario.Client();
        var stream = (await t.OpenAsync()).AsStream();
        byte[] data = [0, 1, 0];

        switch (how)
        {
            case "WriteAsync(memory)":
                await stream.WriteAsync(data.AsMemory(1, 1)).Guarded();
                break;
            case "WriteAsync(array)":
#pragma warning disable CA1835 // The overload is what is tested.
                await stream.WriteAsync(data, 1, 1).Guarded();
#pragma warning restore CA1835
                break;
            case "Write(array)":
                stream.Write(data, 1, 1);
                break;
            case "Write(span)":
                stream.Write(data.AsSpan(1, 1));
                break;
            case "BeginWrite":
                await Task.Factory.FromAsync(stream.BeginWrite, stream.EndWrite, data, 1, 1, null).Guarded();
                break;
            default:
                stream.WriteByte(1);
                break;
        }

        await t.Peer.ExpectAsync(Frame.Data(1, [1]));
    }

    [Theory]
    [InlineData("ReadAsync(memory)")]
    [InlineData("ReadAsync(array)")]
    [InlineData("Read(array)")]
    [InlineData("Read(span)")]
    [InlineData("BeginRead")]
    [InlineData("ReadByte")]
    public async Task Every_read_takes_what_there_is_waits_for_more_and_ends_with_0(string how)
    {
        await using var t = Scenario.Client();
        var stream = (await t.OpenAsync()).AsStream();
        await t.Peer.SendAsync(Frame.Data(1, [1, 2, 3]));
        await t.Peer.ExpectNothingAsync();

        Assert.Equal([1], await TakeAsync(3));
        Assert.Equal([2], await TakeAsync(2));
        Assert.Equal([3], await TakeAsync(1));
        var waiting = Task.Run(() => TakeAsync(5));
        await t.Peer.SendAsync(Frame.Data(1, [4]));
        Assert.Equal([4], await waiting.Guarded());
        await t.Peer.SendAsync(Frame.Fin(1));
        Assert.Empty(await TakeAsync(5));
        Assert.Empty(await TakeAsync(5));

        // Takes one byte of those that are asked for, so that some remain.
        async Task<byte[]> TakeAsync(int size)
        {
            var buffer = new byte[size + 1];
            var count = how switch
            {
                "ReadAsync(memory)" => await stream.ReadAsync(buffer.AsMemory(1, 1)).Guarded(),
#pragma warning disable CA1835 // The overload is what is tested.
                "ReadAsync(array)" => await stream.ReadAsync(buffer, 1, 1).Guarded(),
#pragma warning restore CA1835
                "Read(array)" => stream.Read(buffer, 1, 1),
                "Read(span)" => stream.Read(buffer.AsSpan(1, 1)),
                "BeginRead" => await Task.Factory.FromAsync(stream.BeginRead, stream.EndRead, buffer, 1, 1, null).Guarded(),
                _ => ReadByte(stream, buffer),
            };
            return buffer[1..(1 + count)];
        }

        static int ReadByte(Stream stream, byte[] buffer)
        {
            var value = stream.ReadByte();
            buffer[1] = (byte)Math.Max(value, 0);
            return value < 0 ? 0 : 1;
        }
    }

    [Fact]
    public async Task A_read_of_no_bytes_waits_until_there_are_some_and_takes_none()
    {
        await using var t = Scenario.Client();
        var stream = (await t.OpenAsync()).AsStream();
        var read = stream.ReadAsync(Memory<byte>.Empty).AsTask();
        await t.Peer.ExpectNothingAsync();
        Assert.False(read.IsCompleted);

        await t.Peer.SendAsync(Frame.Data(1, [1]));

        Assert.Equal(0, await read.Guarded());
        Assert.Equal(0, await stream.ReadAsync(Memory<byte>.Empty).Guarded());
        var buffer = new byte[5];
        Assert.Equal(1, await stream.ReadAsync(buffer).Guarded());
        Assert.Equal(1, buffer[0]);
    }

    [Fact]
    public async Task A_write_larger_than_the_window_waits_for_credit()
    {
        await using var t = Scenario.Client();
        var stream = (await t.OpenAsync()).AsStream();
        var data = Bytes.Pattern(600_000);

        var write = Task.Run(() => stream.Write(data));
        var received = await t.Peer.ReadDataAsync(1, 262_144);
        await t.Peer.ExpectNothingAsync();
        Assert.False(write.IsCompleted);
        await t.Peer.SendAsync(Frame.Credit(1, 600_000));

        Bytes.AssertSame(data, [.. received, .. await t.Peer.ReadDataAsync(1, 600_000 - 262_144)]);
        await write.Guarded();
    }

    [Fact]
    public async Task Writes_of_the_view_stand_behind_what_was_written_to_the_pipe()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        stream.Output.GetSpan(1)[0] = 1;
        stream.Output.Advance(1);

        await stream.AsStream().WriteAsync(new byte[] { 2 }).Guarded();

        Assert.Equal([1, 2], await t.Peer.ReadDataAsync(1, 2));
    }

    [Fact]
    public async Task Flushing_the_view_flushes_the_pipe()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        stream.Output.GetSpan(1)[0] = 1;
        stream.Output.Advance(1);

        stream.AsStream().Flush();

        await t.Peer.ExpectAsync(Frame.Data(1, [1]));
    }

    [Theory]
    [InlineData("completed")]
    [InlineData("disposed")]
    [InlineData("reset by the peer")]
    [InlineData("aborted")]
    [InlineData("the session aborted")]
    public async Task Flushing_the_view_of_a_stream_that_has_ended_does_not_throw_where_nothing_is_left_to_send(string how)
    {
        await using var t = Scenario.Client();
        var yamux = await t.OpenAsync();
        var stream = yamux.AsStream();
        await stream.WriteAsync(new byte[] { 1 }).Guarded();
        switch (how)
        {
            case "completed":
                await yamux.Output.CompleteAsync();
                break;
            case "disposed":
                await yamux.DisposeAsync().Guarded();
                break;
            case "reset by the peer":
                await t.Peer.SendAsync(Frame.Rst(1));
                await Guard.CancelledAsync(yamux.Closed);
                break;
            case "aborted":
                yamux.Abort();
                break;
            default:
                t.Session.Abort();
                break;
        }

        stream.Flush();
        await stream.FlushAsync().Guarded();
    }

    [Fact]
    public async Task A_flush_of_the_view_that_is_cancelled_throws_and_keeps_the_bytes_for_the_next()
    {
        await using var t = Scenario.Client();
        var yamux = await t.OpenAsync();
        var stream = yamux.AsStream();
        yamux.Output.GetSpan(1)[0] = 1;
        yamux.Output.Advance(1);

        yamux.Output.CancelPendingFlush();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stream.FlushAsync().Guarded());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stream.FlushAsync(new CancellationToken(canceled: true)).Guarded());
        await t.Peer.ExpectNothingAsync();
        await stream.FlushAsync().Guarded();

        await t.Peer.ExpectAsync(Frame.Data(1, [1]));
    }

    [Fact]
    public async Task A_buffer_that_is_none_or_too_small_is_refused_by_its_name()
    {
        await using var t = Scenario.Client();
        var stream = (await t.OpenAsync()).AsStream();

        foreach (var use in new Func<byte[], int, int, Task>[]
        {
            stream.ReadAsync,
            stream.WriteAsync,
            (buffer, offset, count) => Task.FromResult(stream.Read(buffer, offset, count)),
            (buffer, offset, count) =>
            {
                stream.Write(buffer, offset, count);
                return Task.CompletedTask;
            },
            (buffer, offset, count) => Task.Factory.FromAsync(stream.BeginRead, stream.EndRead, buffer, offset, count, state: null),
            (buffer, offset, count) => Task.Factory.FromAsync(stream.BeginWrite, stream.EndWrite, buffer, offset, count, state: null),
        })
        {
            await Assert.ThrowsAsync<ArgumentNullException>("buffer", () => use(null!, 0, 0).Guarded());
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>("offset", () => use(new byte[1], -1, 1).Guarded());
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>("count", () => use(new byte[1], 1, 1).Guarded());
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Disposing_the_view_closes_the_stream_with_FIN(bool sync)
    {
        await using var t = Scenario.Client();
        var yamux = await t.OpenAsync();
        var stream = yamux.AsStream();
        await stream.WriteAsync(new byte[] { 1 }).Guarded();

        if (sync)
        {
            stream.Dispose();
            stream.Dispose();
        }
        else
        {
            await stream.DisposeAsync().Guarded();
        }

        await t.Peer.ExpectAsync(Frame.Data(1, [1]), Frame.Fin(1));
        await t.Peer.ExpectNothingAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await stream.WriteAsync(new byte[1]));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => stream.ReadAsync(new byte[1]).Guarded());
    }

    [Fact]
    public async Task A_reset_fails_reads_and_writes_with_an_IOException()
    {
        await using var t = Scenario.Client();
        var stream = (await t.OpenAsync()).AsStream();
        await t.Peer.SendAsync(Frame.Rst(1));
        await t.Peer.ExpectNothingAsync();

        Assert.Equal(YamuxErrorCode.StreamReset, Assert.IsType<YamuxException>(Assert.ThrowsAny<IOException>(() => stream.ReadByte())).ErrorCode);
        Assert.Equal(YamuxErrorCode.StreamReset, Assert.IsType<YamuxException>(Assert.ThrowsAny<IOException>(() => stream.WriteByte(1))).ErrorCode);
    }

    [Fact]
    public async Task Two_writers_at_once_are_refused_and_nothing_is_mixed()
    {
        await using var t = Scenario.Client();
        var stream = (await t.OpenAsync()).AsStream();
        var data = Bytes.Pattern(262_145);
        var write = stream.WriteAsync(data).AsTask();
        var received = await t.Peer.ReadDataAsync(1, 262_144);

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await stream.WriteAsync(new byte[1]));
        await t.Peer.SendAsync(Frame.Credit(1, 100));

        Bytes.AssertSame(data, [.. received, .. await t.Peer.ReadDataAsync(1, 1)]);
        await write.Guarded();
    }
}
