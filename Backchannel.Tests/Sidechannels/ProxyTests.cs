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

/// <summary>A server in the middle, as Praefect: what the far handler does, the caller sees, and the other way round.</summary>
public class ProxyTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(3_000_000)]
    public async Task Bytes_pass_both_ways(int size)
    {
        await using var chain = await Chain.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            await channel.CopyToAsync(channel, context.CancellationToken);
            return new Done { Size = 5 };
        });
        var bytes = Content.Bytes(size);
        Done? got = null;

        var done = await chain.CallAsync(async (channel, ct) =>
        {
            var reading = Content.DigestAsync(channel, ct);
            await channel.WriteAsync(bytes, ct);
            await channel.CompleteWritesAsync(ct);
            got = await reading;
        }).Guarded();

        Assert.Equal(5, done.Size);
        Assert.Equal(Content.Digest(bytes), got);
        await chain.EndAsync();
    }

    [Fact]
    public async Task The_status_comes_after_the_last_byte()
    {
        var bytes = Content.Bytes(350_000); // More than the client takes unread; less than that and half a window more, which the proxy has given again at least.
        await using var chain = await Chain.StartAsync(async (_, context) =>
        {
            await using (var channel = await context.OpenSidechannelAsync())
            {
                await channel.WriteAsync(bytes);
            }

            throw new RpcException(new Status(StatusCode.Aborted, "done, and failed"));
        });
        Done? got = null;
        var callback = new TaskCompletionSource();
        var waiter = chain.Client.Sidechannels.Register(async (channel, ct) =>
        {
            await callback.Task;
            got = await Content.DigestAsync(channel, ct);
        });

        var call = chain.Client.Server.RunAsync(new Job(), waiter.Metadata).ResponseAsync;
        await chain.FarEnded.Guarded();
        Assert.False(call.IsCompleted);
        callback.SetResult();

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.Guarded());
        Assert.Equal(new Status(StatusCode.Aborted, "done, and failed").ToString(), failure.Status.ToString());
        await waiter.WaitAsync().Guarded();
        Assert.Equal(Content.Digest(bytes), got);
        await chain.EndAsync();
    }

    [Fact]
    public async Task A_handler_that_needs_no_more_of_the_callers_bytes_ends_the_call()
    {
        await using var chain = await Chain.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            await channel.WriteAsync("enough"u8.ToArray());
            return new Done();
        });
        var answer = "";

        await chain.CallAsync(async (channel, ct) =>
        {
            using var reader = new StreamReader(channel);
            answer = await reader.ReadToEndAsync(ct);
        }).Guarded();

        Assert.Equal("enough", answer);
        await chain.EndAsync();
    }

    [Fact]
    public async Task A_caller_that_never_ends_its_bytes_does_not_hold_up_a_call_that_has_ended()
    {
        await using var chain = await Chain.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            return new Done { Size = 5 };
        });
        var ended = new TaskCompletionSource();
        var waiter = chain.Client.Sidechannels.Register(async (channel, ct) =>
        {
            await channel.CopyToAsync(Stream.Null, ct);
            await ended.Task;
        });

        Assert.Equal(5, (await chain.Client.Server.RunAsync(new Job(), waiter.Metadata).ResponseAsync.Guarded()).Size);

        ended.SetResult();
        await waiter.WaitAsync().Guarded();
        await chain.EndAsync();
    }

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
    public async Task A_handler_that_opens_no_sidechannel_is_the_callers_to_judge()
    {
        await using var chain = await Chain.StartAsync((_, _) => Task.FromResult(new Done()));

        var failure = await Assert.ThrowsAsync<SidechannelException>(() => chain.CallAsync((_, _) => Task.CompletedTask).Guarded());

        Assert.Equal(SidechannelErrorCode.CallbackDidNotRun, failure.ErrorCode);
        await chain.EndAsync();
    }

    [Fact]
    public async Task A_call_without_a_sidechannel_passes()
    {
        var mine = "";
        await using var chain = await Chain.StartAsync((job, context) =>
        {
            mine = context.RequestHeaders.GetValue("mine");
            return Task.FromResult(new Done { Size = job.Size });
        });

        Assert.Equal(3, (await chain.Client.Server.RunAsync(new Job { Size = 3 }, new Metadata { { "mine", "1" } }).ResponseAsync.Guarded()).Size);
        Assert.Null(mine); // Which headers go on is for who makes the call.

        await chain.EndAsync();
    }

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
    [InlineData("x", false, StatusCode.InvalidArgument)]
    [InlineData("-1", false, StatusCode.InvalidArgument)]
    [InlineData("", false, StatusCode.InvalidArgument)]
    [InlineData("5", true, StatusCode.FailedPrecondition)]
    public async Task What_is_wrong_with_the_callers_sidechannel_is_told_before_a_call_is_made(string id, bool plain, StatusCode expected)
    {
        var calls = 0;
        await using var chain = await Chain.StartAsync((_, _) =>
        {
            calls++;
            return Task.FromResult(new Done());
        });
        await using var client = new TransferClient(chain.Middle, plain: plain);

        var failure = await Assert.ThrowsAsync<RpcException>(
            () => client.Server.RunAsync(new Job(), new Metadata { { "gitaly-sidechannel-id", id } }).ResponseAsync.Guarded());

        Assert.Equal(expected, failure.StatusCode);
        await client.EndAsync();
        await chain.EndAsync();
        Assert.Equal(0, calls);
    }

    [Fact]
    public async Task A_server_in_the_middle_hands_a_call_on_to_its_own_client()
    {
        var bytes = Content.Bytes(100_000);
        TransferServer? middle = null;
        var onwards = 0L;
        await using (middle = await TransferServer.StartAsync((job, context) => ProxyAsync(middle!, Volatile.Read(ref onwards), job, context)))
        {
            await using var far = new TransferClient(middle, async (_, context) =>
            {
                await using var channel = await context.OpenSidechannelAsync();
                await channel.WriteAsync(bytes);
                return new Done { Size = 5 };
            });
            Volatile.Write(ref onwards, (await far.Server.RunAsync(new Job()).ResponseAsync.Guarded()).Size);
            await using var client = new TransferClient(middle);
            Done? got = null;

            var done = await client.CallAsync(async (channel, ct) => got = await Content.DigestAsync(channel, ct)).Guarded();

            Assert.Equal(5, done.Size);
            Assert.Equal(Content.Digest(bytes), got);
            await client.EndAsync();
            await far.EndAsync();
            await middle.AssertNothingLeftAsync();
        }
    }

    [Fact]
    public async Task A_server_in_the_middle_that_names_no_session_of_its_client_is_told()
    {
        TransferServer? middle = null;
        var seen = new TaskCompletionSource<InvalidOperationException>();
        await using (middle = await TransferServer.StartAsync(async (_, context) =>
        {
            seen.SetResult(await Assert.ThrowsAsync<InvalidOperationException>(() => middle!.Sidechannels.ProxyAsync<Done>(context, _ => throw new InvalidDataException("a call was made"))));
            return new Done();
        }))
        {
            await using var client = new TransferClient(middle);

            await client.Server.RunAsync(new Job()).ResponseAsync.Guarded();

            Assert.Contains("peer.Session", (await seen.Task.Guarded()).Message, StringComparison.Ordinal);
        }
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

    // The first to come is whom the others are handed on to.
    private static async Task<Done> ProxyAsync(TransferServer middle, long onwards, Job job, ServerCallContext context)
    {
        if (onwards == 0)
        {
            return new Done { Size = context.GetBackchannelPeer().Id };
        }

        var far = middle.Peers.GetPeer(onwards);
        return await middle.Sidechannels.ProxyAsync(
            context, headers => new Transfers.TransfersClient(far.Invoker).RunAsync(job, headers, cancellationToken: context.CancellationToken), far.Session);
    }

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
