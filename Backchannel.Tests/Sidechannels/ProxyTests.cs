using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Sidechannel;
using Xunit;

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
}
