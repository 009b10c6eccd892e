using System.Diagnostics.CodeAnalysis;
using System.Text;
using Backchannel.Tests.Kit;
using Sidechannel;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Sidechannels;

/// <summary>What a handler reads and writes, at a caller that says what it is told to.</summary>
public sealed class HandlerStreamTests : IAsyncDisposable
{
    private readonly YamuxSession _handler;
    private readonly YamuxSession _caller;

    public HandlerStreamTests()
    {
        var (near, far) = DuplexPipe.CreatePair();
        _handler = YamuxSession.Create(near, YamuxRole.Server);
        _caller = YamuxSession.Create(far, YamuxRole.Client);
    }

    public async ValueTask DisposeAsync()
    {
        await _handler.DisposeAsync();
        await _caller.DisposeAsync();
    }

    [Fact]
    public async Task A_read_into_nothing_waits_for_nothing()
    {
        var (channel, _) = await OpenAsync();

        Assert.Equal(0, await channel.ReadAsync(Memory<byte>.Empty).Guarded());

        await channel.DisposeAsync();
    }

    [Theory]
    [InlineData("00", "06ab0000")]
    [InlineData("0006", "ab0000")]
    [InlineData("0004", "0006ab0000")]
    public async Task A_read_that_waits_for_the_rest_of_a_packet_keeps_no_thread(string beginning, string rest)
    {
        var (channel, stream) = await OpenAsync();
        await stream.AsStream().WriteAsync(Encoding.ASCII.GetBytes(beginning));
        await _caller.PingAsync().Guarded(); // What was sent before it has come.
        var returned = new TaskCompletionSource();

        var reading = Task.Run(() =>
        {
            var read = channel.ReadAsync(new byte[10]).AsTask();
            returned.SetResult();
            return read;
        });
        await returned.Task.Guarded();
        await stream.AsStream().WriteAsync(Encoding.ASCII.GetBytes(rest));

        Assert.Equal(2, await reading.Guarded());
        await channel.DisposeAsync();
    }

    [Theory]
    [InlineData("0008ab", "ended 2 bytes before the end of a packet")]
    [InlineData("0006ab", "ended without the packet that ends them")]
    [InlineData("000", "ended without the packet that ends them")]
    [InlineData("0003", "has the length 3; it must be 0, or at least 4")]
    [InlineData("00g4", "begins with the bytes 30306734; it must begin with 4 hexadecimal digits")]
    public async Task What_is_wrong_with_the_callers_bytes_is_told(string packets, string expected)
    {
        var (channel, stream) = await OpenAsync();
        await stream.AsStream().WriteAsync(Encoding.ASCII.GetBytes(packets));
        await stream.DisposeAsync();

        var failure = await Assert.ThrowsAsync<SidechannelException>(() => channel.CopyToAsync(Stream.Null).Guarded());

        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
        await channel.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Disposal_ends_what_was_written_and_is_well_the_second_time(bool synchronously)
    {
        var (channel, stream) = await OpenAsync();
        await channel.WriteAsync("all"u8.ToArray());

        for (var time = 0; time < 2; time++)
        {
            if (synchronously)
            {
                DisposeNow(channel);
            }
            else
            {
                await channel.DisposeAsync();
            }
        }

        using var reader = new StreamReader(stream.AsStream());
        Assert.Equal("all", await reader.ReadToEndAsync().Guarded());
    }

    [Fact]
    public async Task What_a_stream_cannot_do_it_says()
    {
        var (channel, _) = await OpenAsync();

        Assert.False(channel.CanSeek);
        Assert.Throws<NotSupportedException>(() => channel.Length);
        Assert.Throws<NotSupportedException>(() => channel.Position);
        Assert.Throws<NotSupportedException>(() => channel.Position = 1);
        Assert.Throws<NotSupportedException>(() => channel.Seek(0, SeekOrigin.Begin));
        Assert.Throws<NotSupportedException>(() => channel.SetLength(0));
        await channel.DisposeAsync();
    }

    [SuppressMessage("Performance", "CA1849", Justification = "The synchronous disposal is what is tested.")]
    private static void DisposeNow(SidechannelStream channel) => channel.Dispose();

    private async Task<(SidechannelStream Channel, YamuxStream Stream)> OpenAsync()
    {
        var opening = _handler.OpenSidechannelAsync(0);
        var stream = (await _caller.AcceptStreamAsync().AsTask().Guarded())!;
        await stream.AsStream().ReadExactlyAsync(new byte[19]).Guarded();
        await stream.AsStream().WriteAsync("ok"u8.ToArray());
        return (await opening.Guarded(), stream);
    }
}
