using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Sidechannel;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Sidechannels;

/// <summary>Ends that leave before the other: nobody waits for ever, and nobody takes a part for the whole.</summary>
public class EndOfCallTests
{
    [Fact]
    public Task A_callback_that_writes_to_a_handler_that_has_left_fails() => Rounds.RunAsync(async () =>
    {
        await using var server = await TransferServer.StartAsync(LeaveAsync);
        await using var client = new TransferClient(server);

        var failure = await Assert.ThrowsAsync<SidechannelException>(() => client.CallAsync((channel, ct) => WriteForEverAsync(channel, ct)).Guarded());

        Assert.Equal(SidechannelErrorCode.CallEnded, failure.ErrorCode);
        await client.EndAsync();
        await server.AssertNothingLeftAsync();
    });

    [Fact]
    public Task A_callback_that_writes_to_a_handler_that_has_failed_ends_with_the_calls_status() => Rounds.RunAsync(async () =>
    {
        await using var server = await TransferServer.StartAsync(async (job, context) =>
        {
            await LeaveAsync(job, context);
            throw new RpcException(new Status(StatusCode.Aborted, "enough"));
        });
        await using var client = new TransferClient(server);

        var failure = await Assert.ThrowsAsync<RpcException>(() => client.CallAsync((channel, _) => WriteForEverAsync(channel, CancellationToken.None)).Guarded());

        Assert.Equal(StatusCode.Aborted, failure.StatusCode);
        await client.EndAsync();
    });

    [Fact]
    public async Task A_callback_that_reads_and_ends_its_bytes_after_the_call_has_ended_does_no_wrong()
    {
        var bytes = Content.Bytes(200_000); // Less than the window: the handler need not wait for the callback.
        await using var server = await TransferServer.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            await channel.WriteAsync(bytes);
            return new Done();
        });
        await using var client = new TransferClient(server);
        var ended = new TaskCompletionSource();
        var waiter = client.Sidechannels.Register(async (channel, ct) =>
        {
            await ended.Task;
            Assert.Equal(Content.Digest(bytes), await Content.DigestAsync(channel, ct));
            await channel.CompleteWritesAsync(ct);
        });

        await client.Server.RunAsync(new Job(), waiter.Metadata).ResponseAsync.Guarded();
        var waiting = waiter.WaitAsync();
        ended.SetResult();

        await waiting.Guarded();
        await client.EndAsync();
    }

    [Fact]
    public Task A_cancelled_call_ends_a_handler_and_a_callback_that_wait_for_each_other() => Rounds.RunAsync(async () =>
    {
        var handlerEnded = new TaskCompletionSource<YamuxException>();
        var opened = new TaskCompletionSource();
        await using var server = await TransferServer.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            opened.SetResult();
            handlerEnded.SetResult(await Assert.ThrowsAsync<YamuxException>(() => channel.ReadAsync(new byte[1]).AsTask()));
            return new Done();
        });
        await using var client = new TransferClient(server);
        var running = new TaskCompletionSource();
        using var source = new CancellationTokenSource();

        var call = client.CallAsync(
            async (channel, _) =>
            {
                running.SetResult();
                await channel.ReadExactlyAsync(new byte[1], CancellationToken.None);
            },
            callToken: source.Token);
        await Task.WhenAll(opened.Task, running.Task).Guarded();
        await source.CancelAsync();

        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call.Guarded())).StatusCode);
        await handlerEnded.Task.Guarded();
        await client.EndAsync();
        await server.AssertNothingLeftAsync();
    });

    [Fact]
    public async Task A_callback_may_end_by_aborting()
    {
        await using var server = await TransferServer.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            var failure = await Assert.ThrowsAsync<YamuxException>(() => WriteForEverAsync(channel, CancellationToken.None));
            Assert.Equal(YamuxErrorCode.StreamReset, failure.ErrorCode);
            return new Done { Size = 7 };
        });
        await using var client = new TransferClient(server);

        var done = await client.CallAsync(async (channel, ct) =>
        {
            await channel.ReadExactlyAsync(new byte[100], ct);
            channel.Abort();
        }).Guarded();

        Assert.Equal(7, done.Size);
        await client.EndAsync();
        await server.AssertNothingLeftAsync();
    }

    [Fact]
    public Task A_callback_may_end_by_aborting_with_a_write_under_way() => Rounds.RunAsync(async () =>
    {
        await using var server = await TransferServer.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            await channel.WriteAsync(new byte[1]);
            await Assert.ThrowsAsync<YamuxException>(() => channel.WriteAsync(new byte[64 << 20]).AsTask());
            return new Done { Size = 7 };
        });
        await using var client = new TransferClient(server);
        var writing = Task.CompletedTask;

        var done = await client.CallAsync(async (channel, ct) =>
        {
            writing = channel.WriteAsync(new byte[64 << 20], ct).AsTask();
            await channel.ReadExactlyAsync(new byte[1], ct);
            channel.Abort();
        }).Guarded();

        Assert.Equal(7, done.Size);
        await Assert.ThrowsAsync<YamuxException>(() => writing.Guarded());
        await client.EndAsync();
        await server.AssertNothingLeftAsync();
    });

    [Fact]
    public async Task Whatever_is_written_after_the_call_has_ended_fails_in_the_same_way()
    {
        await using var server = await TransferServer.StartAsync(LeaveAsync);
        await using var client = new TransferClient(server);
        var failures = new List<SidechannelException>();
        SidechannelStream? kept = null;

        await client.CallAsync(async (channel, ct) =>
        {
            kept = channel;
            failures.Add(await Assert.ThrowsAsync<SidechannelException>(() => WriteForEverAsync(channel, ct)));
            failures.Add(await Assert.ThrowsAsync<SidechannelException>(() => channel.WriteAsync(new byte[1], ct).AsTask()));
            await channel.CompleteWritesAsync(ct);
        }).Guarded();
        failures.Add(await Assert.ThrowsAsync<SidechannelException>(() => kept!.WriteAsync(new byte[1]).AsTask()));
        await kept!.CompleteWritesAsync();

        Assert.All(failures, failure => Assert.Equal(SidechannelErrorCode.CallEnded, failure.ErrorCode));
        await client.EndAsync();
    }

    [Fact]
    public async Task A_channel_that_is_kept_beyond_its_failed_callback_fails_as_a_stream_does()
    {
        await using var server = await TransferServer.StartAsync(Content.ReceiveAsync);
        await using var client = new TransferClient(server);
        SidechannelStream? kept = null;
        var waiter = client.Sidechannels.Register((channel, _) =>
        {
            kept = channel;
            throw new FormatException();
        });
        var call = client.Server.RunAsync(new Job(), waiter.Metadata).ResponseAsync;
        await Assert.ThrowsAsync<FormatException>(() => waiter.Completion.Guarded());
        await Assert.ThrowsAsync<RpcException>(() => call.Guarded());

        await Assert.ThrowsAnyAsync<IOException>(() => kept!.WriteAsync(new byte[1]).AsTask());
        await Assert.ThrowsAnyAsync<IOException>(() => kept!.CompleteWritesAsync().AsTask());
        await Assert.ThrowsAnyAsync<IOException>(() => kept!.ReadAsync(new byte[1]).AsTask());
        await client.EndAsync();
    }

    [Fact]
    public Task A_callback_that_swallows_its_cancelled_write_and_returns_has_failed() => Rounds.RunAsync(async () =>
    {
        var given = new TaskCompletionSource();
        await using var server = await TransferServer.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            await given.Task;
            var failure = await Assert.ThrowsAsync<YamuxException>(() => Content.DigestAsync(channel));
            Assert.Equal(YamuxErrorCode.StreamReset, failure.ErrorCode);
            return new Done { Size = 7 };
        });
        await using var client = new TransferClient(server);

        // The handler may take what it has for all, if it likes: the caller knows better.
        await Assert.ThrowsAsync<YamuxException>(() => client.CallAsync(async (channel, _) =>
        {
            using var source = new CancellationTokenSource();
            var write = channel.WriteAsync(new byte[64 << 20], source.Token); // More than all windows.
            await source.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write.AsTask());
            given.SetResult();
        }).Guarded());

        await client.EndAsync();
        await server.AssertNothingLeftAsync();
    });

    [Fact]
    public async Task A_callback_that_swallowed_its_cancelled_write_has_failed_though_the_call_ends_well_before_it_returns()
    {
        var given = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        await using var server = await TransferServer.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            await given.Task;
            await Assert.ThrowsAsync<YamuxException>(() => Content.DigestAsync(channel));
            return new Done { Size = 7 };
        });
        await using var client = new TransferClient(server);
        var waiter = client.Sidechannels.Register(async (channel, _) =>
        {
            using var source = new CancellationTokenSource();
            var write = channel.WriteAsync(new byte[64 << 20], source.Token);
            await source.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write.AsTask());
            given.SetResult();
            await goOn.Task;
        });
        Assert.Equal(7, (await client.Server.RunAsync(new Job(), waiter.Metadata).ResponseAsync.Guarded()).Size);
        var waiting = waiter.WaitAsync();

        goOn.SetResult();

        await Assert.ThrowsAsync<YamuxException>(() => waiting.Guarded());
        await client.EndAsync();
    }

    [Fact]
    public async Task A_handler_that_forgets_its_channel_has_it_disposed()
    {
        await using var server = await TransferServer.StartAsync(async (_, context) =>
        {
            var channel = await context.OpenSidechannelAsync();
            await channel.WriteAsync("all"u8.ToArray());
            return new Done();
        });
        await using var client = new TransferClient(server);
        var answer = "";

        await client.CallAsync(async (channel, ct) =>
        {
            using var reader = new StreamReader(channel);
            answer = await reader.ReadToEndAsync(ct);
        }).Guarded();

        Assert.Equal("all", answer);
        await client.EndAsync();
        await server.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_second_writer_is_refused_and_harms_nothing()
    {
        var letGo = new TaskCompletionSource();
        await using var server = await TransferServer.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            await letGo.Task;
            return await Content.DigestAsync(channel);
        });
        await using var client = new TransferClient(server);
        var bytes = Content.Bytes(20 << 20); // More than the handler's window.

        var done = await client.CallAsync(async (channel, ct) =>
        {
            var writing = channel.WriteAsync(bytes, ct).AsTask();
            await Assert.ThrowsAsync<InvalidOperationException>(() => channel.WriteAsync(new byte[5], ct).AsTask());
            await Assert.ThrowsAsync<InvalidOperationException>(() => channel.CompleteWritesAsync(ct).AsTask());
            letGo.SetResult();
            await writing;
        }).Guarded();

        Assert.Equal(Content.Digest(bytes), done);
        await client.EndAsync();
    }

    [Fact]
    public async Task Only_the_session_that_was_named_can_open_a_sidechannel()
    {
        await using var server = await TransferServer.StartAsync((_, context) => Task.FromResult(new Done { Size = context.GetBackchannelPeer().Id }));
        TransferHandler open = async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            await channel.WriteAsync("mine"u8.ToArray());
            return new Done();
        };
        await using var honest = new TransferClient(server, open);
        await using var other = new TransferClient(server, open);
        var (honestPeer, otherPeer) = (await PeerAsync(server, honest), await PeerAsync(server, other));
        var waiter = server.Sidechannels.Register((channel, ct) => Content.DigestAsync(channel, ct), honestPeer.Session);

        var theft = new Transfers.TransfersClient(otherPeer.Invoker).RunAsync(new Job(), waiter.Metadata).ResponseAsync;
        await Assert.ThrowsAsync<RpcException>(() => theft.Guarded());
        Assert.Equal(1, server.Sidechannels.Count);
        await new Transfers.TransfersClient(honestPeer.Invoker).RunAsync(new Job(), waiter.Metadata).ResponseAsync.Guarded();

        await waiter.WaitAsync().Guarded();
    }

    [Fact]
    public void A_second_registry_is_refused()
    {
        var options = new BackchannelServerOptions().UseSidechannels(new SidechannelRegistry());

        Assert.Throws<InvalidOperationException>(() => options.UseSidechannels(new SidechannelRegistry()));
    }

    private static async Task<BackchannelPeer> PeerAsync(TransferServer server, TransferClient client)
        => server.Peers.GetPeer((await client.Server.RunAsync(new Job()).ResponseAsync.Guarded()).Size);

    // As the others do, but without reading: the caller has no credit, and gets none.
    private static async Task<Done> LeaveAsync(Job job, ServerCallContext context)
    {
        await using var channel = await context.OpenSidechannelAsync();
        return new Done();
    }

    private static async Task WriteForEverAsync(SidechannelStream channel, CancellationToken cancellationToken)
    {
        var bytes = new byte[100_000];
        while (true)
        {
            await channel.WriteAsync(bytes, cancellationToken);
        }
    }
}
