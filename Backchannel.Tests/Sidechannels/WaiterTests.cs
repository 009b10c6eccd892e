using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Sidechannel;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Sidechannels;

/// <summary>What a caller learns of its callback.</summary>
public class WaiterTests
{
    private static readonly TransferHandler IgnoringHandler = (_, _) => Task.FromResult(new Done());

    [Fact]
    public async Task A_callback_that_did_not_run_is_told()
    {
        await using var server = await TransferServer.StartAsync(IgnoringHandler);
        await using var client = new TransferClient(server);

        var failure = await Assert.ThrowsAsync<SidechannelException>(() => client.CallAsync((_, _) => Task.CompletedTask).Guarded());

        Assert.Equal(SidechannelErrorCode.CallbackDidNotRun, failure.ErrorCode);
        Assert.Contains("callback did not run", failure.Message, StringComparison.Ordinal);
        Assert.Contains("context.OpenSidechannelAsync()", failure.Message, StringComparison.Ordinal);
        await client.EndAsync();
    }

    [Fact]
    public async Task Disposal_throws_nothing_and_completion_tells()
    {
        var registry = new SidechannelRegistry();
        var waiter = registry.Register((_, _) => Task.CompletedTask);
        Assert.False(waiter.Completion.IsCompleted);

        await waiter.DisposeAsync().Guarded();
        await waiter.DisposeAsync().Guarded();

        Assert.Equal(SidechannelErrorCode.CallbackDidNotRun, (await Assert.ThrowsAsync<SidechannelException>(() => waiter.Completion)).ErrorCode);
        Assert.Equal(0, registry.Count);
    }

    [Fact]
    public async Task The_callbacks_own_failure_is_told_although_the_call_fails_of_it()
    {
        await using var server = await TransferServer.StartAsync(Content.ReceiveAsync);
        await using var client = new TransferClient(server);

        await Assert.ThrowsAsync<FormatException>(() => client.CallAsync((_, _) => throw new FormatException()).Guarded());

        await client.EndAsync();
    }

    [Fact]
    public async Task A_callback_that_is_cancelled_alone_says_so()
    {
        await using var server = await TransferServer.StartAsync(Content.ReceiveAsync);
        await using var client = new TransferClient(server);
        using var source = new CancellationTokenSource();

        var failure = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.CallAsync(
            async (channel, ct) =>
            {
                await source.CancelAsync();
                await channel.ReadExactlyAsync(new byte[1], ct);
            },
            callbackToken: source.Token).Guarded());

        Assert.True(failure.CancellationToken.IsCancellationRequested);
        await client.EndAsync();
    }

    [Fact]
    public async Task A_callback_that_fails_never_reads_as_the_end_of_its_bytes()
    {
        var seen = new TaskCompletionSource<Exception>();
        var opened = new TaskCompletionSource();
        await using var server = await TransferServer.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            opened.SetResult();
            seen.SetResult(await Assert.ThrowsAnyAsync<IOException>(() => Content.DigestAsync(channel)));
            return new Done();
        });
        await using var client = new TransferClient(server);

        await Assert.ThrowsAsync<FormatException>(() => client.CallAsync(
            async (channel, ct) =>
            {
                await channel.WriteAsync(Content.Bytes(1000), ct);
                await opened.Task;
                throw new FormatException();
            }).Guarded());

        Assert.IsType<YamuxException>(await seen.Task.Guarded());
        await client.EndAsync();
    }

    [Fact]
    public async Task A_call_that_fails_after_it_has_sent_leaves_its_bytes_to_the_callback()
    {
        var bytes = Content.Bytes(2_000_000);
        await using var server = await TransferServer.StartAsync(async (_, context) =>
        {
            await using (var channel = await context.OpenSidechannelAsync())
            {
                await channel.WriteAsync(bytes);
            }

            throw new RpcException(new Status(StatusCode.Aborted, "done, and failed"));
        });
        await using var client = new TransferClient(server);
        Done? got = null;

        var failure = await Assert.ThrowsAsync<RpcException>(() => client.CallAsync(async (channel, ct) => got = await Content.DigestAsync(channel, ct)).Guarded());

        Assert.Equal(StatusCode.Aborted, failure.StatusCode);
        Assert.Equal(Content.Digest(bytes), got);
        await client.EndAsync();
    }

    [Fact]
    public async Task A_call_ends_for_its_caller_when_the_callback_has_ended()
    {
        await using var server = await TransferServer.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            return new Done();
        });
        await using var client = new TransferClient(server);
        var running = new TaskCompletionSource();
        var letGo = new TaskCompletionSource();
        var waiter = client.Sidechannels.Register(async (_, _) =>
        {
            running.SetResult();
            await letGo.Task;
        });

        await client.Server.RunAsync(new Job(), waiter.Metadata).ResponseAsync.Guarded();
        await running.Task.Guarded();
        var waiting = waiter.WaitAsync();
        Assert.False(waiting.IsCompleted);
        letGo.SetResult();

        await waiting.Guarded();
        await client.EndAsync();
    }

    [Fact]
    public Task A_callback_that_ignores_its_cancelled_token_is_waited_for() => Rounds.RunAsync(async () =>
    {
        await using var server = await TransferServer.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            return new Done();
        });
        await using var client = new TransferClient(server);
        using var source = new CancellationTokenSource();
        var running = new TaskCompletionSource();
        var letGo = new TaskCompletionSource();
        var ended = Task.CompletedTask;

        var call = client.Sidechannels.CallAsync(
            headers =>
            {
                var made = client.Server.RunAsync(new Job(), headers);
                ended = made.ResponseAsync;
                return made;
            },
            async (_, _) =>
            {
                running.SetResult();
                await letGo.Task;
            },
            source.Token);
        await running.Task.Guarded();
        await source.CancelAsync();
        await ended.Guarded();
        letGo.SetResult();

        await call.Guarded();
        await client.EndAsync();
    });

    [Fact]
    public async Task Waiting_can_be_given_up_and_the_callback_goes_on()
    {
        await using var server = await TransferServer.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            return new Done();
        });
        await using var client = new TransferClient(server);
        var letGo = new TaskCompletionSource();
        var waiter = client.Sidechannels.Register((_, _) => letGo.Task);
        await client.Server.RunAsync(new Job(), waiter.Metadata).ResponseAsync.Guarded();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiter.WaitAsync(new CancellationToken(canceled: true)).Guarded());
        letGo.SetResult();

        await waiter.WaitAsync().Guarded();
        await client.EndAsync();
    }
}
