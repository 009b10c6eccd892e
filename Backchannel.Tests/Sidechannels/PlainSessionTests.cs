using System.Buffers.Binary;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Sidechannel;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Sidechannels;

/// <summary>Sidechannels on sessions of yamux alone, with neither gRPC nor Kestrel.</summary>
public sealed class PlainSessionTests : IAsyncDisposable
{
    private readonly SidechannelRegistry _registry = new();
    private readonly YamuxSession _handler;
    private readonly YamuxSession _caller;

    public PlainSessionTests()
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
    [InlineData("sidechannels")]
    [InlineData("something else")]
    public async Task Another_stream_is_closed(string hello)
    {
        var stream = await _handler.OpenStreamAsync().Guarded();
        await stream.AsStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes(hello.PadRight(19)));

        await _registry.ServeAsync(await AcceptAsync()).Guarded();

        Assert.NotEqual("ok", await ReadAsync(stream));
    }

    [Fact]
    public async Task A_stream_that_cannot_be_answered_is_told_by_the_waiter()
    {
        var waiter = _registry.Register((_, _) => Task.CompletedTask);
        var stream = await _handler.OpenStreamAsync().Guarded();
        var hello = "sidechannel"u8.ToArray().Concat(new byte[8]).ToArray();
        BinaryPrimitives.WriteInt64BigEndian(hello.AsSpan(11), waiter.Id);
        await stream.AsStream().WriteAsync(hello);
        var accepted = await AcceptAsync();
        await accepted.Output.CompleteAsync();

        await _registry.ServeAsync(accepted).Guarded();

        Assert.Equal(SidechannelErrorCode.CallbackDidNotRun, (await Assert.ThrowsAsync<SidechannelException>(() => waiter.WaitAsync().Guarded())).ErrorCode);
        Assert.Equal(0, _registry.Count);
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
