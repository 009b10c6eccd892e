using System.Globalization;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using ListenMux;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Time.Testing;
using Sidechannel;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Sidechannels;

/// <summary>A server in the middle, and an end that fails, refuses, or gives up: the other learns of it.</summary>
public class ProxyFailureTests
{
    [Fact]
    public async Task A_caller_that_refuses_is_told_so()
    {
        await using var chain = await Chain.StartAsync(Content.ReceiveAsync);

        var failure = await Assert.ThrowsAsync<RpcException>(
            () => chain.Client.Server.RunAsync(new Job(), new Metadata { { "gitaly-sidechannel-id", "7" } }).ResponseAsync.Guarded());

        Assert.Equal(StatusCode.Internal, failure.StatusCode);
        Assert.StartsWith("sidechannel proxy: Sidechannel 7 was closed by the caller", failure.Status.Detail, StringComparison.Ordinal);
        await chain.EndAsync();
    }

    [Fact]
    public Task A_handler_that_fails_while_the_caller_writes_has_its_own_status() => Rounds.RunAsync(async () =>
    {
        await using var chain = await Chain.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            throw new RpcException(new Status(StatusCode.Aborted, "enough"));
        });

        var failure = await Assert.ThrowsAsync<RpcException>(() => chain.CallAsync(async (channel, _) =>
        {
            var bytes = new byte[100_000];
            while (true)
            {
                await channel.WriteAsync(bytes, CancellationToken.None);
            }
        }).Guarded());

        Assert.Equal(new Status(StatusCode.Aborted, "enough").ToString(), failure.Status.ToString());
        await chain.EndAsync();
    });

    [Fact]
    public async Task A_caller_that_fails_in_the_middle_fails_the_far_handler()
    {
        var seen = new TaskCompletionSource<IOException>();
        var opened = new TaskCompletionSource();
        await using var chain = await Chain.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            opened.SetResult();
            seen.SetResult(await Assert.ThrowsAnyAsync<IOException>(() => Content.DigestAsync(channel)));
            return new Done();
        });

        await Assert.ThrowsAsync<FormatException>(() => chain.CallAsync(async (channel, ct) =>
        {
            await channel.WriteAsync(new byte[1000], ct);
            await opened.Task;
            throw new FormatException();
        }).Guarded());

        await seen.Task.Guarded();
        await chain.EndAsync();
    }

    [Fact]
    public async Task A_far_handler_that_fails_in_the_middle_never_reads_as_its_end()
    {
        await using var chain = await Chain.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            await channel.WriteAsync(new byte[1000]);
            channel.Abort();
            return new Done();
        });

        var failure = await Assert.ThrowsAsync<RpcException>(() => chain.CallAsync((channel, ct) => Content.DigestAsync(channel, ct)).Guarded());

        Assert.Equal(StatusCode.Internal, failure.StatusCode);
        await chain.EndAsync();
    }

    [Fact]
    public async Task A_call_that_succeeds_without_its_bytes_having_passed_fails()
    {
        await using var chain = await Chain.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            await channel.WriteAsync(new byte[1000]);
            channel.Abort();
            return new Done();
        });
        var waiter = chain.Client.Sidechannels.Register(async (channel, ct) => await Assert.ThrowsAsync<YamuxException>(() => channel.CopyToAsync(Stream.Null, ct)));

        var failure = await Assert.ThrowsAsync<RpcException>(() => chain.Client.Server.RunAsync(new Job(), waiter.Metadata).ResponseAsync.Guarded());

        Assert.Equal(StatusCode.Internal, failure.StatusCode);
        Assert.StartsWith("sidechannel proxy: ", failure.Status.Detail, StringComparison.Ordinal);
        await chain.EndAsync();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public Task Bytes_of_the_callers_that_are_no_packets_are_told_as_such(bool handlerEndsFirst, bool handlerSucceeds) => Rounds.RunAsync(async () =>
    {
        await using var chain = await Chain.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            if (handlerEndsFirst)
            {
                await channel.CompleteWritesAsync();
            }

            try
            {
                return await Content.DigestAsync(channel);
            }
            catch (YamuxException) when (handlerSucceeds)
            {
                return new Done();
            }
        });
        await using var client = new TransferClient(chain.Middle, configureStreams: streams => AnswerRaw(streams, async stream =>
        {
            await stream.WriteAsync("ok"u8.ToArray());
            if (handlerEndsFirst)
            {
                await stream.CopyToAsync(Stream.Null);
            }

            await stream.WriteAsync("0002junk"u8.ToArray());
        }));

        var failure = await Assert.ThrowsAsync<RpcException>(() => CallRawAsync(client).Guarded());

        Assert.Equal(StatusCode.Internal, failure.StatusCode);
        Assert.Contains("sidechannel proxy: ", failure.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("the length 2", failure.Status.Detail, StringComparison.Ordinal);
        await client.EndAsync();
        await chain.EndAsync();
    });

    [Fact]
    public async Task A_call_onwards_that_is_given_up_does_not_wait_for_the_caller_to_accept()
    {
        using var onwards = new CancellationTokenSource();
        await using var chain = await Chain.StartAsync(Content.ReceiveAsync, onwards.Token, new FakeTimeProvider()); // Its 5 s never pass.
        var asked = new TaskCompletionSource();
        await using var client = new TransferClient(chain.Middle, configureStreams: streams => AnswerRaw(streams, _ =>
        {
            asked.SetResult();
            return Task.CompletedTask;
        }));

        var call = CallRawAsync(client);
        await asked.Task.Guarded();
        await onwards.CancelAsync();

        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call.Guarded())).StatusCode);
        await client.EndAsync();
        await chain.EndAsync();
    }

    [Fact]
    public Task A_call_onwards_that_is_given_up_ends_the_copying_though_the_far_handler_holds_on() => Rounds.RunAsync(async () =>
    {
        using var onwards = new CancellationTokenSource();
        var letGo = new TaskCompletionSource();
        await using var chain = await Chain.StartAsync(
            async (_, context) =>
            {
                // As Go does, to whom a cancellation is but a hint.
                var session = context.GetHttpContext().Features.GetRequiredFeature<IYamuxStreamFeature>().Stream.Session;
                var id = long.Parse(context.RequestHeaders.GetValue("gitaly-sidechannel-id")!, CultureInfo.InvariantCulture);
                await using var channel = await session.OpenSidechannelAsync(id, CancellationToken.None);
                await letGo.Task;
                return new Done();
            },
            onwards.Token);
        var running = new TaskCompletionSource();

        var call = chain.CallAsync(async (channel, _) =>
        {
            running.SetResult();
            await channel.ReadExactlyAsync(new byte[1], CancellationToken.None);
        });
        await running.Task.Guarded();
        await onwards.CancelAsync();

        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call.Guarded())).StatusCode);
        letGo.SetResult();
        await chain.FarEnded.Guarded();
        await chain.EndAsync();
    });

    [Fact]
    public Task A_cancelled_call_ends_all_three() => Rounds.RunAsync(async () =>
    {
        var seen = new TaskCompletionSource<IOException>();
        var opened = new TaskCompletionSource();
        await using var chain = await Chain.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            opened.SetResult();
            seen.SetResult(await Assert.ThrowsAnyAsync<IOException>(() => Content.DigestAsync(channel)));
            return new Done();
        });
        using var source = new CancellationTokenSource();
        var running = new TaskCompletionSource();

        var call = chain.CallAsync(
            async (channel, ct) =>
            {
                await channel.WriteAsync(new byte[1000], ct);
                running.SetResult();
                await channel.ReadExactlyAsync(new byte[1], ct);
            },
            source.Token);
        await Task.WhenAll(opened.Task, running.Task).Guarded();
        await source.CancelAsync();

        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call.Guarded())).StatusCode);
        await seen.Task.Guarded();
        await chain.EndAsync();
    });

    // A caller that says what it likes, and stays until the proxy ends the stream or resets it.
    private static void AnswerRaw(IConnectionBuilder streams, Func<Stream, Task> answer) => streams.UseListenMux(mux => mux.Map("sidechannel"u8.ToArray(), async (connection, _) =>
    {
        var stream = connection.Features.GetRequiredFeature<IYamuxStreamFeature>().Stream.AsStream();
        await stream.ReadExactlyAsync(new byte[8]);
        await answer(stream);
        await stream.CopyToAsync(Stream.Null).ContinueWith(_ => { }, TaskScheduler.Default);
    }));

    private static Task<Done> CallRawAsync(TransferClient client) => client.Server.RunAsync(new Job(), new Metadata { { "gitaly-sidechannel-id", "0" } }).ResponseAsync;
}
