using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Sidechannel;
using Xunit;

namespace Backchannel.Tests.Sidechannels;

/// <summary>Bytes beside a call, in every direction.</summary>
public class TransferTests
{
    public static TheoryData<int> Sizes => [0, 1, 65_515, 65_516, 65_517, 3_000_000];

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task The_handler_gets_what_the_caller_sends(int size)
    {
        await using var server = await TransferServer.StartAsync(Content.ReceiveAsync);
        await using var client = new TransferClient(server);
        var bytes = Content.Bytes(size);

        var done = await client.CallAsync((channel, ct) => channel.WriteAsync(bytes, ct).AsTask()).Guarded();

        Assert.Equal(Content.Digest(bytes), done);
        await client.EndAsync();
        await server.AssertNothingLeftAsync();
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task The_caller_gets_what_the_handler_sends(int size)
    {
        var bytes = Content.Bytes(size);
        await using var server = await TransferServer.StartAsync((_, context) => SendAsync(context, bytes));
        await using var client = new TransferClient(server);
        Done? got = null;

        await client.CallAsync(async (channel, ct) => got = await Content.DigestAsync(channel, ct)).Guarded();

        Assert.Equal(Content.Digest(bytes), got);
        await client.EndAsync();
        await server.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_caller_that_has_ended_its_bytes_reads_the_answer_to_them()
    {
        await using var server = await TransferServer.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            var request = await Content.DigestAsync(channel);
            await channel.WriteAsync(request.Digest.Memory);
            return request;
        });
        await using var client = new TransferClient(server);
        var bytes = Content.Bytes(200_000);
        var answer = new MemoryStream();

        await client.CallAsync(async (channel, ct) =>
        {
            await channel.WriteAsync(bytes, ct);
            await channel.CompleteWritesAsync(ct);
            await channel.CopyToAsync(answer, ct);
        }).Guarded();

        Assert.Equal(Content.Digest(bytes).Digest.ToByteArray(), answer.ToArray());
        await client.EndAsync();
    }

    [Fact]
    public async Task A_handler_that_has_ended_its_bytes_reads_on()
    {
        await using var server = await TransferServer.StartAsync(async (_, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            await channel.WriteAsync("ready"u8.ToArray());
            await channel.CompleteWritesAsync();
            return await Content.DigestAsync(channel);
        });
        await using var client = new TransferClient(server);
        var bytes = Content.Bytes(1_000_000);

        var done = await client.CallAsync(async (channel, ct) =>
        {
            using var reader = new StreamReader(channel);
            Assert.Equal("ready", await reader.ReadToEndAsync(ct));
            await channel.WriteAsync(bytes, ct);
        }).Guarded();

        Assert.Equal(Content.Digest(bytes), done);
        await client.EndAsync();
    }

    [Fact]
    public async Task Twenty_calls_at_once_have_twenty_sidechannels()
    {
        await using var server = await TransferServer.StartAsync(EchoAsync);
        await using var client = new TransferClient(server);

        await Task.WhenAll(Enumerable.Range(1, 20).Select(async number =>
        {
            var bytes = Content.Bytes(number * 10_007);
            Done? got = null;
            await client.CallAsync(async (channel, ct) =>
            {
                var reading = Content.DigestAsync(channel, ct);
                await channel.WriteAsync(bytes, ct);
                await channel.CompleteWritesAsync(ct);
                got = await reading;
            });
            Assert.Equal(Content.Digest(bytes), got);
        })).Guarded();

        await client.EndAsync();
        await server.AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_call_to_a_client_that_runs_while_the_connection_drains_may_still_open_its_sidechannel(bool serverStops)
    {
        var bytes = Content.Bytes(1_000_000);
        var called = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TransferServer.StartAsync((_, context) => Task.FromResult(new Done { Size = context.GetBackchannelPeer().Id }));
        await using var client = new TransferClient(server, async (_, context) =>
        {
            called.SetResult();
            await goOn.Task;
            return await SendAsync(context, bytes);
        });
        Assert.True(server.Peers.TryGetPeer((await client.Server.RunAsync(new Job())).Size, out var peer));
        var toClient = new Transfers.TransfersClient(peer.Invoker);
        Done? got = null;
        var call = server.Sidechannels.CallAsync(
            headers => toClient.RunAsync(new Job(), headers), async (channel, ct) => got = await Content.DigestAsync(channel, ct), peer.Session);
        await called.Task.Guarded();

        var stopping = Task.CompletedTask;
        if (serverStops)
        {
            stopping = server.StopAsync();
        }
        else
        {
            client.CloseChannel();
        }

        await Guard.Until(() => server.Peers.Count == 0, "the server knows");
        goOn.SetResult();
        await call.Guarded();

        Assert.Equal(Content.Digest(bytes), got);
        await stopping.Guarded();
        await client.EndAsync();
        await server.AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_call_to_the_server_that_runs_while_either_end_stops_may_still_open_its_sidechannel(bool serverStops)
    {
        var bytes = Content.Bytes(1_000_000);
        var called = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TransferServer.StartAsync(async (_, context) =>
        {
            called.SetResult();
            await goOn.Task;
            return await SendAsync(context, bytes);
        });
        await using var client = new TransferClient(server);
        Done? got = null;
        var call = client.CallAsync(async (channel, ct) => got = await Content.DigestAsync(channel, ct));
        await called.Task.Guarded();
        Assert.True(server.Peers.TryGetPeer(1, out var peer));

        var stopping = serverStops ? server.StopAsync() : client.Host.StopAsync(TestContext.Current.CancellationToken);
        await Guard.Until(async () =>
        {
            try
            {
                await new Transfers.TransfersClient(peer.Invoker).RunAsync(new Job());
                return false;
            }
            catch (RpcException refusal) when (refusal.StatusCode == StatusCode.Unavailable)
            {
                return true;
            }
            catch (RpcException)
            {
                return false; // The client serves nothing.
            }
        }, "the connection drains");
        goOn.SetResult();
        await call.Guarded();

        Assert.Equal(Content.Digest(bytes), got);
        await stopping.Guarded();
        await Guard.Until(() => client.Host.ConnectionCount == 0, "the connection ends");
    }

    [Fact]
    public async Task A_server_that_calls_its_client_gets_the_clients_bytes()
    {
        var bytes = Content.Bytes(1_000_000);
        await using var server = await TransferServer.StartAsync((_, context) => Task.FromResult(new Done { Size = context.GetBackchannelPeer().Id }));
        await using var client = new TransferClient(server, (_, context) => SendAsync(context, bytes));
        var id = (await client.Server.RunAsync(new Job())).Size;
        Assert.True(server.Peers.TryGetPeer(id, out var peer));
        var toClient = new Transfers.TransfersClient(peer.Invoker);
        Done? got = null;

        await server.Sidechannels.CallAsync(
            headers => toClient.RunAsync(new Job(), headers), async (channel, ct) => got = await Content.DigestAsync(channel, ct), peer.Session).Guarded();

        Assert.Equal(Content.Digest(bytes), got);
        await client.EndAsync();
        await server.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Synchronous_reads_and_writes_work_too()
    {
        await using var server = await TransferServer.StartAsync(async (_, context) =>
        {
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            using var channel = await context.OpenSidechannelAsync();
            var byteRead = channel.ReadByte();
            channel.WriteByte((byte)(byteRead + 1));
            Assert.Equal(-1, channel.ReadByte());
            return new Done();
        });
        await using var client = new TransferClient(server);

        await client.CallAsync(async (channel, _) =>
        {
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            channel.WriteByte(41);
            channel.Flush();
            Assert.Equal(42, channel.ReadByte());
        }).Guarded();

        await client.EndAsync();
    }

    private static async Task<Done> SendAsync(ServerCallContext context, byte[] bytes)
    {
        await using var channel = await context.OpenSidechannelAsync();
        await channel.WriteAsync(bytes, context.CancellationToken);
        return new Done();
    }

    private static async Task<Done> EchoAsync(Job job, ServerCallContext context)
    {
        await using var channel = await context.OpenSidechannelAsync();
        await channel.CopyToAsync(channel, context.CancellationToken);
        return new Done();
    }
}
