using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Text;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Microsoft.Extensions.Logging;
using Sidechannel;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Sidechannels;

/// <summary>Sidechannels on sessions of yamux alone, with neither gRPC nor Kestrel.</summary>
public sealed class PlainSessionTests : IAsyncDisposable
{
    private readonly TestLog _log = new();
    private readonly LoggerFactory _loggers;
    private readonly SidechannelRegistry _registry;
    private readonly YamuxSession _handler;
    private readonly YamuxSession _caller;

    public PlainSessionTests()
    {
        var (near, far) = DuplexPipe.CreatePair();
        _handler = YamuxSession.Create(near, YamuxRole.Server);
        _caller = YamuxSession.Create(far, YamuxRole.Client);
        _loggers = new LoggerFactory([_log], new LoggerFilterOptions { MinLevel = LogLevel.Debug });
        _registry = new SidechannelRegistry(_loggers.CreateLogger<SidechannelRegistry>());
    }

    public async ValueTask DisposeAsync()
    {
        await _handler.DisposeAsync();
        await _caller.DisposeAsync();
        _loggers.Dispose();
    }

    [Fact]
    public async Task What_the_callback_sends_the_handler_reads()
    {
        var bytes = Content.Bytes(500_000);
        var waiter = _registry.Register((channel, ct) => channel.WriteAsync(bytes, ct).AsTask());
        var opening = _handler.OpenSidechannelAsync(waiter.Id);
        var serving = _registry.ServeAsync(await AcceptAsync());

        Done read;
        await using (var channel = await opening.Guarded())
        {
            read = await Content.DigestAsync(channel).Guarded();
        }

        Assert.Equal(Content.Digest(bytes), read);
        await waiter.WaitAsync().Guarded();
        await serving.Guarded();
    }

    [Theory]
    [InlineData("sidechannem")]
    [InlineData("Sidechannel")]
    [InlineData("backchannel")]
    public async Task Another_stream_is_reset_whatever_follows(string magic)
    {
        var waiter = _registry.Register((_, _) => Task.CompletedTask);
        var stream = await _handler.OpenStreamAsync().Guarded();
        await stream.AsStream().WriteAsync(Hello(magic, waiter.Id));

        await _registry.ServeAsync(await AcceptAsync()).Guarded();

        Assert.Equal($"{YamuxErrorCode.StreamReset}", await ReadAsync(stream));
        Assert.Equal(1, _registry.Count);
    }

    [Fact]
    public async Task An_id_that_nobody_waits_for_is_closed_without_a_word()
    {
        var stream = await _handler.OpenStreamAsync().Guarded();
        await stream.AsStream().WriteAsync(Hello("sidechannel", 7));
        var accepted = await AcceptAsync();

        await _registry.ServeAsync(accepted).Guarded();

        Assert.Equal("", await ReadAsync(stream));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => accepted.AsStream().WriteAsync(new byte[1]).AsTask());
    }

    [Theory]
    [InlineData("side", false)]
    [InlineData("side", true)]
    [InlineData("sidechannel\0\0\0\0\0\0\0", false)]
    [InlineData("sidechannel\0\0\0\0\0\0\0", true)]
    public async Task A_handler_that_goes_before_it_has_said_all_is_one_line_in_the_log(string hello, bool reset)
    {
        var stream = await _handler.OpenStreamAsync().Guarded();
        await stream.AsStream().WriteAsync(Encoding.ASCII.GetBytes(hello));
        var accepted = await AcceptAsync();
        await Guard.Until(() => accepted.Input.TryRead(out var read) && Look(accepted, read) == hello.Length, "the bytes have come");

        var serving = _registry.ServeAsync(accepted);
        if (reset)
        {
            stream.Abort();
        }
        else
        {
            await stream.Output.CompleteAsync();
        }

        await serving.Guarded();
        var line = Assert.Single(_log.Lines);
        Assert.Equal((LogLevel.Debug, "HandshakeLost"), (line.Level, line.Event.Name));
    }

    [Fact]
    public async Task A_stream_that_cannot_be_answered_is_told_by_the_waiter()
    {
        var waiter = _registry.Register((_, _) => Task.CompletedTask);
        var stream = await _handler.OpenStreamAsync().Guarded();
        await stream.AsStream().WriteAsync(Hello("sidechannel", waiter.Id));
        var accepted = await AcceptAsync();
        await accepted.Output.CompleteAsync();

        await _registry.ServeAsync(accepted).Guarded();

        Assert.Equal(SidechannelErrorCode.CallbackDidNotRun, (await Assert.ThrowsAsync<SidechannelException>(() => waiter.WaitAsync().Guarded())).ErrorCode);
        Assert.Equal(0, _registry.Count);
    }

    private static long Look(YamuxStream stream, ReadResult read)
    {
        var length = read.Buffer.Length;
        stream.Input.AdvanceTo(read.Buffer.Start);
        return length;
    }

    private static byte[] Hello(string magic, long id)
    {
        var hello = new byte[magic.Length + sizeof(long)];
        Encoding.ASCII.GetBytes(magic, hello);
        BinaryPrimitives.WriteInt64BigEndian(hello.AsSpan(magic.Length), id);
        return hello;
    }

    private async Task<YamuxStream> AcceptAsync() => await _caller.AcceptStreamAsync().AsTask().Guarded() ?? throw new InvalidOperationException("the session has ended");

    private static async Task<string> ReadAsync(YamuxStream stream)
    {
        try
        {
            using var reader = new StreamReader(stream.AsStream());
            return await reader.ReadToEndAsync().Guarded();
        }
        catch (YamuxException reset)
        {
            return $"{reset.ErrorCode}";
        }
    }
}
