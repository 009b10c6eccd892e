using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Backchannel.Tests.Kit;
using Sidechannel;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Sidechannels;

/// <summary>What a callback writes, as it comes at a handler that reads nothing until it is told to.</summary>
public sealed class CallerStreamTests : IAsyncDisposable
{
    private const int Window = 256 * 1024;

    private readonly SidechannelRegistry _registry = new();
    private readonly YamuxSession _handler;
    private readonly YamuxSession _caller;
    private Task _serving = Task.CompletedTask;

    public CallerStreamTests()
    {
        var (near, far) = DuplexPipe.CreatePair();
        var options = new YamuxOptions { InitialStreamWindowSize = Window, MaxStreamWindowSize = Window };
        _handler = YamuxSession.Create(near, YamuxRole.Server, options);
        _caller = YamuxSession.Create(far, YamuxRole.Client, options);
    }

    public async ValueTask DisposeAsync()
    {
        await _handler.DisposeAsync();
        await _caller.DisposeAsync();
        await _serving.Guarded();
    }

    [Fact]
    public async Task Bytes_are_ended_once_and_nothing_is_written_behind_the_end()
    {
        var waiter = _registry.Register(async (channel, ct) =>
        {
            await channel.WriteAsync("a"u8.ToArray(), ct);
            await channel.CompleteWritesAsync(ct);
            await channel.CompleteWritesAsync(ct);
            var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => channel.WriteAsync("b"u8.ToArray(), ct).AsTask());
            Assert.Contains("are completed", failure.Message, StringComparison.Ordinal);
        });
        await using var stream = await OpenAsync(waiter.Id);

        Assert.Equal("ok0005a0000", await ReadAllAsync(stream));
        await waiter.WaitAsync().Guarded();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_session_that_ends_after_the_handler_fails_a_callback_that_has_not_read_the_end(bool readsTheEnd)
    {
        var reads = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var waiter = _registry.Register(async (channel, ct) =>
        {
            var buffer = new byte[readsTheEnd ? 10 : 1];
            Assert.Equal(readsTheEnd ? 3 : 1, await channel.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct));
            reads.SetResult();
            await goOn.Task;
        });
        await using var stream = await OpenAsync(waiter.Id);
        await stream.AsStream().WriteAsync("abc"u8.ToArray());
        if (readsTheEnd)
        {
            await stream.Output.CompleteAsync().Guarded();
        }

        await reads.Task.Guarded();
        _handler.Abort();
        await _caller.Completion.Guarded();
        goOn.SetResult();

        // Not WaitAsync, which says that the call has ended.
        if (readsTheEnd)
        {
            await waiter.Completion.Guarded();
        }
        else
        {
            await Assert.ThrowsAsync<YamuxException>(() => waiter.Completion.Guarded());
        }
    }

    [Fact]
    public async Task A_write_that_was_cancelled_before_it_began_harms_nothing()
    {
        var waiter = _registry.Register(async (channel, ct) =>
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => channel.WriteAsync("b"u8.ToArray(), new CancellationToken(canceled: true)).AsTask());
            await channel.WriteAsync("a"u8.ToArray(), ct);
        });
        await using var stream = await OpenAsync(waiter.Id);

        Assert.Equal("ok0005a0000", await ReadAllAsync(stream));
        await waiter.WaitAsync().Guarded();
    }

    [Fact]
    public async Task A_second_write_while_one_waits_is_refused_and_a_later_one_is_taken()
    {
        var letGo = new TaskCompletionSource();
        var waiter = _registry.Register(async (channel, ct) =>
        {
            var writing = channel.WriteAsync(new byte[2 * Window], ct).AsTask();
            Assert.False(writing.IsCompleted);
            await Assert.ThrowsAsync<InvalidOperationException>(() => channel.WriteAsync("b"u8.ToArray(), ct).AsTask());
            letGo.SetResult();
            await writing;
            await channel.WriteAsync("c"u8.ToArray(), ct);
        });
        await using var stream = await OpenAsync(waiter.Id);
        await letGo.Task.Guarded();

        Assert.EndsWith("0005c0000", await ReadAllAsync(stream), StringComparison.Ordinal);
        await waiter.WaitAsync().Guarded();
    }

    public enum Token
    {
        None,
        OfTheCallback,
        OfItsOwn,
    }

    [Theory]
    [InlineData(Token.None)]
    [InlineData(Token.OfTheCallback)]
    [InlineData(Token.OfItsOwn)]
    public Task A_write_that_waits_for_credit_fails_when_the_call_ends(Token token) => Rounds.RunAsync(async () =>
    {
        using var source = new CancellationTokenSource();
        var waiting = new TaskCompletionSource();
        var waiter = _registry.Register(async (channel, ct) =>
        {
            var writing = channel.WriteAsync(new byte[2 * Window], Choose(token, ct, source.Token)).AsTask();
            Assert.False(writing.IsCompleted);
            waiting.SetResult();
            await writing;
        });
        await using var stream = await OpenAsync(waiter.Id);
        await waiting.Task.Guarded();

        var failure = await Assert.ThrowsAsync<SidechannelException>(() => waiter.WaitAsync().Guarded());

        Assert.Equal(SidechannelErrorCode.CallEnded, failure.ErrorCode);
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public Task A_write_fails_with_what_its_stream_failed_with_and_not_with_the_end_of_the_call_that_came_after(bool aborts) => Rounds.RunAsync(async () =>
    {
        var written = new TaskCompletionSource();
        var ended = Task.CompletedTask;
        SidechannelWaiter waiter = null!;
        waiter = _registry.Register(async (channel, ct) =>
        {
            var writing = channel.WriteAsync(new byte[2 * Window], ct).AsTask();
            written.SetResult();
            if (aborts)
            {
                channel.Abort();
            }
            else
            {
                await Assert.ThrowsAsync<YamuxException>(() => channel.ReadAsync(new byte[1], ct).AsTask());
            }

            // Before the write has heard of its stream's failure, as a rule.
            ended = waiter.DisposeAsync().AsTask();
            var failure = await Assert.ThrowsAsync<YamuxException>(() => writing);
            Assert.Equal(aborts ? YamuxErrorCode.StreamAborted : YamuxErrorCode.StreamReset, failure.ErrorCode);
        });
        await using var stream = await OpenAsync(waiter.Id);
        await written.Task.Guarded();
        if (!aborts)
        {
            stream.Abort();
        }

        await waiter.Completion.Guarded();
        await ended.Guarded();
    });

    [Theory]
    [InlineData(Token.OfTheCallback)]
    [InlineData(Token.OfItsOwn)]
    public Task A_write_that_waits_for_credit_can_be_cancelled_and_then_the_handler_fails_too(Token token) => Rounds.RunAsync(async () =>
    {
        using var source = new CancellationTokenSource();
        using var callbackSource = new CancellationTokenSource();
        var waiting = new TaskCompletionSource();
        var waiter = _registry.Register(
            async (channel, ct) =>
            {
                var writing = channel.WriteAsync(new byte[2 * Window], Choose(token, ct, source.Token)).AsTask();
                Assert.False(writing.IsCompleted);
                waiting.SetResult();
                await writing;
            },
            callbackSource.Token);
        await using var stream = await OpenAsync(waiter.Id);
        await waiting.Task.Guarded();

        await (token == Token.OfItsOwn ? source : callbackSource).CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiter.Completion.Guarded());
        Assert.Equal(YamuxErrorCode.StreamReset, (await Assert.ThrowsAsync<YamuxException>(() => ReadAllAsync(stream))).ErrorCode);
    });

    [Fact]
    public Task An_end_that_waits_for_credit_is_given_up_without_a_failure_when_the_call_ends() => Rounds.RunAsync(async () =>
    {
        var waiting = new TaskCompletionSource();
        var waiter = _registry.Register(async (channel, ct) =>
        {
            // With the two bytes of "ok", and four before each packet, exactly what the handler takes unread.
            await channel.WriteAsync(new byte[4 * 65_516], ct);
            await channel.WriteAsync(new byte[Window - (4 * 65_520) - 2 - 4], ct);
            var completing = channel.CompleteWritesAsync(ct).AsTask();
            Assert.False(completing.IsCompleted);
            waiting.SetResult();
            await completing;
        });
        await using var stream = await OpenAsync(waiter.Id);
        await waiting.Task.Guarded();

        await waiter.WaitAsync().Guarded();
    });

    [Fact]
    [SuppressMessage("Performance", "CA1835", Justification = "The overloads for arrays are what is tested.")]
    public async Task What_is_written_to_an_array_and_read_from_it_keeps_its_place()
    {
        var read = new byte[8];
        var waiter = _registry.Register(async (channel, ct) =>
        {
            Assert.True(channel.CanRead && channel.CanWrite && !channel.CanSeek);
            await channel.WriteAsync("xxaxx"u8.ToArray(), 2, 1, ct);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => channel.WriteAsync("b"u8.ToArray(), 0, 1, new CancellationToken(canceled: true)));
            Assert.Equal(3, await channel.ReadAsync(read, 4, 3, ct));
        });
        await using var stream = await OpenAsync(waiter.Id);
        await stream.AsStream().WriteAsync("cde"u8.ToArray());

        Assert.Equal("ok0005a0000", await ReadAllAsync(stream));
        await waiter.WaitAsync().Guarded();
        Assert.Equal("\0\0\0\0cde\0", Encoding.ASCII.GetString(read));
    }

    [Fact]
    public async Task Synchronous_pieces_of_an_array_keep_their_place()
    {
        var read = new byte[4];
        var waiter = _registry.Register(async (channel, _) =>
        {
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            channel.Write("xxaxx"u8.ToArray(), 2, 1);
            Assert.Equal(2, channel.Read(read, 1, 2));
        });
        await using var stream = await OpenAsync(waiter.Id);
        await stream.AsStream().WriteAsync("cd"u8.ToArray());

        Assert.Equal("ok0005a0000", await ReadAllAsync(stream));
        await waiter.WaitAsync().Guarded();
        Assert.Equal("\0cd\0", Encoding.ASCII.GetString(read));
    }

    [Fact]
    public async Task What_is_aborted_for_a_reason_fails_with_it()
    {
        var waiter = _registry.Register(async (channel, ct) =>
        {
            channel.Abort(new FormatException("the reason"));
            var failure = await Assert.ThrowsAsync<YamuxException>(() => channel.ReadAsync(new byte[1], ct).AsTask());
            Assert.IsType<FormatException>(failure.InnerException);
        });
        await using var stream = await OpenAsync(waiter.Id);

        Assert.Equal(YamuxErrorCode.StreamReset, (await Assert.ThrowsAsync<YamuxException>(() => ReadAllAsync(stream))).ErrorCode);
        await waiter.WaitAsync().Guarded();
    }

    private static CancellationToken Choose(Token token, CancellationToken callback, CancellationToken own) => token switch
    {
        Token.None => CancellationToken.None,
        Token.OfTheCallback => callback,
        _ => own,
    };

    private static async Task<string> ReadAllAsync(YamuxStream stream)
    {
        var bytes = new MemoryStream();
        await stream.AsStream().CopyToAsync(bytes).Guarded();
        return Encoding.Latin1.GetString(bytes.ToArray());
    }

    private async Task<YamuxStream> OpenAsync(long id)
    {
        var stream = await _handler.OpenStreamAsync().Guarded();
        var hello = new byte[19];
        "sidechannel"u8.CopyTo(hello);
        BinaryPrimitives.WriteInt64BigEndian(hello.AsSpan(11), id);
        await stream.AsStream().WriteAsync(hello);
        var accepted = await _caller.AcceptStreamAsync().AsTask().Guarded();
        _serving = Task.WhenAll(_serving, _registry.ServeAsync(accepted!));
        return stream;
    }
}
