using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using Sidechannel;
using Xunit;

namespace Backchannel.Tests.Sidechannels;

/// <summary>Calls whose sidechannel cannot be opened: a typed error for the handler, and nothing left.</summary>
public class BadCallTests
{
    [Theory]
    [InlineData("x")]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("9223372036854775808")]
    public async Task An_id_that_is_no_number_is_InvalidArgument(string id)
    {
        await using var server = await TransferServer.StartAsync(OpenAsync);
        await using var client = new TransferClient(server);

        var failure = await Assert.ThrowsAsync<RpcException>(
            () => client.Server.RunAsync(new Job(), new Metadata { { "gitaly-sidechannel-id", id } }).ResponseAsync.Guarded());

        Assert.Equal(StatusCode.InvalidArgument, failure.StatusCode);
        Assert.Contains($"\"{id}\"; it must be a decimal number from 0 to 9223372036854775807", failure.Status.Detail, StringComparison.Ordinal);
        await client.EndAsync();
    }

    [Fact]
    public async Task A_call_without_an_id_is_FailedPrecondition()
    {
        await using var server = await TransferServer.StartAsync(OpenAsync);
        await using var client = new TransferClient(server);

        var failure = await Assert.ThrowsAsync<RpcException>(() => client.Server.RunAsync(new Job()).ResponseAsync.Guarded());

        Assert.Equal(StatusCode.FailedPrecondition, failure.StatusCode);
        Assert.Contains("gitaly-sidechannel-id", failure.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("SidechannelRegistry.CallAsync", failure.Status.Detail, StringComparison.Ordinal);
        await client.EndAsync();
    }

    [Fact]
    public async Task A_call_on_a_plain_connection_is_FailedPrecondition()
    {
        await using var server = await TransferServer.StartAsync(OpenAsync);
        await using var client = new TransferClient(server, plain: true);

        var failure = await Assert.ThrowsAsync<RpcException>(
            () => client.Server.RunAsync(new Job(), new Metadata { { "gitaly-sidechannel-id", "0" } }).ResponseAsync.Guarded());

        Assert.Equal(StatusCode.FailedPrecondition, failure.StatusCode);
        Assert.StartsWith("non-multiplexed connection: the client's handler needs UseBackchannel(host)", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_id_that_nobody_has_registered_is_refused()
    {
        await using var server = await TransferServer.StartAsync(RefusedAsync);
        await using var client = new TransferClient(server);

        var done = await client.Server.RunAsync(new Job(), new Metadata { { "gitaly-sidechannel-id", "7" } }).ResponseAsync.Guarded();

        Assert.Equal(1, done.Size);
        await client.EndAsync();
        await server.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_client_that_takes_no_sidechannels_is_given_up_and_told_what_to_call()
    {
        var time = new HandshakeClock();
        var seen = new TaskCompletionSource<SidechannelException>();
        await using var server = await TransferServer.StartAsync(
            async (_, context) =>
            {
                seen.SetResult(await Assert.ThrowsAsync<SidechannelException>(() => context.OpenSidechannelAsync().AsTask()));
                return new Done();
            },
            time: time);
        await using var client = new TransferClient(server, configureStreams: _ => { });

        var call = client.Server.RunAsync(new Job(), new Metadata { { "gitaly-sidechannel-id", "7" } }).ResponseAsync;
        await time.AnswerAwaited.Guarded();
        await Guard.Until(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(5));
                return seen.Task.IsCompleted;
            },
            "the handler gives up");

        AssertNames("UseSidechannels(registry): those of BackchannelHost.Create", await seen.Task.Guarded(), SidechannelErrorCode.HandshakeTimeout);
        await call.Guarded();
        await client.EndAsync();
    }

    [Fact]
    public async Task A_server_that_takes_no_sidechannels_refuses_them_and_is_told_what_to_call()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new RawClient(server);
        await client.First.Guarded();
        await Guard.Until(() => server.Registry.Count == 1, "the client is a peer");

        var failure = await Assert.ThrowsAsync<SidechannelException>(() => client.Session.OpenSidechannelAsync(7).Guarded());

        AssertNames("those of AddBackchannel, if it is the server", failure, SidechannelErrorCode.Refused);
    }

    [Fact]
    public async Task An_id_is_good_once()
    {
        await using var server = await TransferServer.StartAsync(async (job, context) =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            return await RefusedAsync(job, context);
        });
        await using var client = new TransferClient(server);

        var done = await client.CallAsync((_, _) => Task.CompletedTask).Guarded();

        Assert.Equal(1, done.Size);
        await client.EndAsync();
        await server.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task The_last_of_several_ids_wins()
    {
        await using var server = await TransferServer.StartAsync(OpenAsync);
        await using var client = new TransferClient(server);
        var waiter = client.Sidechannels.Register((_, _) => Task.CompletedTask);
        var headers = new Metadata { { "gitaly-sidechannel-id", "41" }, { "gitaly-sidechannel-id", "x" }, { "gitaly-sidechannel-id", $"{waiter.Id}" } };

        await client.Server.RunAsync(new Job(), headers).ResponseAsync.Guarded();

        await waiter.WaitAsync().Guarded();
        await client.EndAsync();
    }

    private static void AssertNames(string remedy, SidechannelException failure, SidechannelErrorCode expected)
    {
        Assert.Equal(expected, failure.ErrorCode);
        Assert.StartsWith("Sidechannel 7 was ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, failure.Message, StringComparison.Ordinal);
    }

    private static async Task<Done> OpenAsync(Job job, ServerCallContext context)
    {
        await using var channel = await context.OpenSidechannelAsync();
        return new Done();
    }

    private static async Task<Done> RefusedAsync(Job job, ServerCallContext context)
    {
        var failure = await Assert.ThrowsAsync<SidechannelException>(() => context.OpenSidechannelAsync().AsTask());
        Assert.Equal(SidechannelErrorCode.Refused, failure.ErrorCode);
        return new Done { Size = 1 };
    }
}
