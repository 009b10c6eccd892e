using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Sidechannel;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Sidechannels;

/// <summary>Calls that are cancelled with their bytes under way: both ends fail, and nothing is left.</summary>
public class SidechannelCancellationTests
{
    [Fact]
    public Task A_cancelled_caller_that_reads_ends_both() => Rounds.RunAsync(CancelReadingAsync);

    [Fact]
    public Task A_cancelled_caller_that_writes_ends_both() => Rounds.RunAsync(CancelWritingAsync);

    [Fact]
    public Task A_client_that_goes_in_the_middle_fails_the_handler() => Rounds.RunAsync(VanishAsync);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task What_a_cancelled_handler_leaves_never_reads_as_the_whole(bool synchronously) => Rounds.RunAsync(async () =>
    {
        await using var server = await TransferServer.StartAsync(async (_, context) =>
        {
            var channel = await context.OpenSidechannelAsync();
            try
            {
                await channel.WriteAsync(new byte[1000], context.CancellationToken);
                await new TaskCompletionSource().Task.WaitAsync(context.CancellationToken); // Goes on before the sidechannel hears of the cancellation.
            }
            finally
            {
                await DisposeAsync(channel, synchronously);
            }

            return new Done();
        });
        await using var client = new TransferClient(server);
        var callbackEnded = new TaskCompletionSource<YamuxException>();
        var reading = new TaskCompletionSource();
        using var source = new CancellationTokenSource();

        var call = client.CallAsync(
            async (channel, _) =>
            {
                await channel.ReadExactlyAsync(new byte[1000], CancellationToken.None);
                reading.SetResult();
                callbackEnded.SetResult(await Assert.ThrowsAsync<YamuxException>(() => channel.ReadExactlyAsync(new byte[1], CancellationToken.None).AsTask()));
            },
            callToken: source.Token);
        await reading.Task.Guarded();
        await source.CancelAsync();

        await Assert.ThrowsAsync<RpcException>(() => call.Guarded());
        Assert.Equal(YamuxErrorCode.StreamReset, (await callbackEnded.Task.Guarded()).ErrorCode);
        await client.EndAsync();
        await server.AssertNothingLeftAsync();
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task A_cancelled_call_cancels_its_callback(bool throwOperationCanceled) => Rounds.RunAsync(async () =>
    {
        await using var server = await TransferServer.StartAsync(Content.ReceiveAsync);
        await using var client = new TransferClient(server, configureChannel: options => options.ThrowOperationCanceledOnCancellation = throwOperationCanceled);
        var running = new TaskCompletionSource();
        using var source = new CancellationTokenSource();

        var call = client.CallAsync(
            async (_, ct) =>
            {
                running.SetResult();
                await Task.Delay(Timeout.Infinite, ct);
            },
            callToken: source.Token);
        await running.Task.Guarded();
        await source.CancelAsync();

        if (throwOperationCanceled)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.Guarded());
        }
        else
        {
            await AssertCancelledAsync(call);
        }

        await client.EndAsync();
    });

    [Fact]
    public Task What_a_handler_has_disposed_of_stays_whole_when_its_call_is_cancelled_afterwards() => Rounds.RunAsync(async () =>
    {
        var bytes = Content.Bytes(200_000); // Less than the window: the handler need not wait for the callback.
        var disposed = new TaskCompletionSource();
        var completed = new TaskCompletionSource();
        await using var server = await TransferServer.StartAsync(async (_, context) =>
        {
            // The last is called first: when this one is, the request has disposed of the sidechannel too.
            context.GetHttpContext().Response.OnCompleted(() => Task.FromResult(completed.TrySetResult()));
            await using (var channel = await context.OpenSidechannelAsync())
            {
                await channel.WriteAsync(bytes);
            }

            disposed.SetResult();
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
            return new Done();
        });
        await using var client = new TransferClient(server);
        using var source = new CancellationTokenSource();
        var letGo = new TaskCompletionSource();
        Done? got = null;
        var waiter = client.Sidechannels.Register(async (channel, ct) =>
        {
            await letGo.Task;
            got = await Content.DigestAsync(channel, ct);
        });

        var call = client.Server.RunAsync(new Job(), waiter.Metadata, cancellationToken: source.Token).ResponseAsync;
        await disposed.Task.Guarded();
        await source.CancelAsync();
        await AssertCancelledAsync(call);
        await completed.Task.Guarded();
        letGo.SetResult();

        await waiter.WaitAsync().Guarded();
        Assert.Equal(Content.Digest(bytes), got);
        await client.EndAsync();
    });

    [Theory]
    [InlineData(StatusCode.Cancelled)]
    [InlineData(StatusCode.DeadlineExceeded)]
    public Task A_call_that_was_given_up_cancels_its_callback(StatusCode status) => Rounds.RunAsync(async () =>
    {
        var running = new TaskCompletionSource();
        await using var server = await TransferServer.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            await running.Task;
            throw new RpcException(new Status(status, "as by the server's own clock"));
        });
        await using var client = new TransferClient(server);

        var failure = await Assert.ThrowsAsync<RpcException>(() => client.CallAsync(async (_, ct) =>
        {
            running.SetResult();
            await Task.Delay(Timeout.Infinite, ct);
        }).Guarded());

        Assert.Equal(status, failure.StatusCode);
        await client.EndAsync();
    });

    [Fact]
    public Task What_fails_in_the_cancellation_of_a_callback_is_logged_and_hides_nothing() => Rounds.RunAsync(async () =>
    {
        await using var server = await TransferServer.StartAsync(Content.ReceiveAsync);
        await using var client = new TransferClient(server);
        var running = new TaskCompletionSource();
        using var source = new CancellationTokenSource();

        var call = client.CallAsync(
            async (_, ct) =>
            {
                var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                using var registration = ct.Register(() =>
                {
                    cancelled.SetResult(); // Not by the token itself, which can be seen before this runs: then it never would.
                    throw new FormatException("in a cancellation");
                });
                running.SetResult();
                await cancelled.Task;
                ct.ThrowIfCancellationRequested();
            },
            callToken: source.Token);
        await running.Task.Guarded();
        await source.CancelAsync();

        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call.Guarded())).StatusCode);
        Assert.Equal(LogLevel.Error, Assert.Single(client.Log.Lines, line => line.Event.Name == "CancellationFailed").Level);
    });

    private static async Task CancelReadingAsync()
    {
        var handlerEnded = new TaskCompletionSource<Exception>();
        var opened = new TaskCompletionSource();
        await using var server = await TransferServer.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            opened.SetResult();
            return await RecordAsync(handlerEnded, () => Content.DigestAsync(channel, context.CancellationToken));
        });
        await using var client = new TransferClient(server);
        using var source = new CancellationTokenSource();
        var running = new TaskCompletionSource();

        var call = client.CallAsync(
            async (channel, ct) =>
            {
                running.SetResult();
                await channel.ReadExactlyAsync(new byte[1], ct);
            },
            source.Token,
            source.Token);
        await Task.WhenAll(opened.Task, running.Task).Guarded();
        await source.CancelAsync();

        await AssertCancelledAsync(call);
        await AssertFailedAsync(handlerEnded);
        await client.EndAsync();
        await server.AssertNothingLeftAsync();
    }

    private static async Task CancelWritingAsync()
    {
        var handlerEnded = new TaskCompletionSource<Exception>();
        var opened = new TaskCompletionSource();
        var stalled = new TaskCompletionSource();
        await using var server = await TransferServer.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            opened.SetResult();
            return await RecordAsync(handlerEnded, async () =>
            {
                await stalled.Task;
                return await Content.DigestAsync(channel, context.CancellationToken);
            });
        });
        await using var client = new TransferClient(server);
        using var source = new CancellationTokenSource();
        var writing = new TaskCompletionSource();

        var call = client.CallAsync(
            async (channel, ct) =>
            {
                // More than all windows: the write waits, within a packet.
                var write = channel.WriteAsync(new byte[64 << 20], ct);
                writing.SetResult();
                await write;
            },
            source.Token,
            source.Token);
        await Task.WhenAll(opened.Task, writing.Task).Guarded();
        await source.CancelAsync();
        await AssertCancelledAsync(call);
        stalled.SetResult();

        await AssertFailedAsync(handlerEnded);
        await client.EndAsync();
        await server.AssertNothingLeftAsync();
    }

    private static async Task VanishAsync()
    {
        var handlerEnded = new TaskCompletionSource<Exception>();
        var opened = new TaskCompletionSource();
        await using var server = await TransferServer.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            opened.SetResult();
            return await RecordAsync(handlerEnded, () => Content.DigestAsync(channel));
        });
        var client = new TransferClient(server);
        var running = new TaskCompletionSource();
        var call = client.CallAsync(async (channel, ct) =>
        {
            await channel.WriteAsync(new byte[100], ct);
            running.SetResult();
            await channel.ReadExactlyAsync(new byte[1], ct);
        });
        await Task.WhenAll(opened.Task, running.Task).Guarded();

        await client.DisposeAsync();

        await AssertCancelledAsync(call);
        await AssertFailedAsync(handlerEnded);
        await client.EndAsync();
        await server.AssertNothingLeftAsync();
    }

    private static async Task<Done> RecordAsync(TaskCompletionSource<Exception> ended, Func<Task<Done>> run)
    {
        try
        {
            return await run();
        }
        catch (Exception failure)
        {
            ended.SetResult(failure);
            throw;
        }
        finally
        {
            ended.TrySetException(new InvalidOperationException("the handler ended well"));
        }
    }

    private static ValueTask DisposeAsync(SidechannelStream channel, bool synchronously)
    {
        if (!synchronously)
        {
            return channel.DisposeAsync();
        }

        channel.Dispose();
        return default;
    }

    private static async Task AssertCancelledAsync(Task call)
        => Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call.Guarded())).StatusCode);

    // A reset or a cancellation, but never the end of the caller's bytes.
    private static async Task AssertFailedAsync(TaskCompletionSource<Exception> ended)
    {
        var failure = await ended.Task.Guarded();
        Assert.True(failure is IOException or OperationCanceledException, $"{failure}");
    }
}
