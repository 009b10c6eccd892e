using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
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
        Assert.Contains($"\"{id}\"", failure.Status.Detail, StringComparison.Ordinal);
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
        await client.EndAsync();
    }

    [Fact]
    public async Task A_call_on_a_plain_connection_is_FailedPrecondition()
    {
        await using var server = await TransferServer.StartAsync(OpenAsync);
        await using var client = new TransferClient(server, plain: true);

        var failure = await Assert.ThrowsAsync<RpcException>(
            () => client.Server.RunAsync(new Job(), new Metadata { { "gitaly-sidechannel-id", "0" } }).ResponseAsync.Guarded());

        Assert.Equal(new Status(StatusCode.FailedPrecondition, "non-multiplexed connection").ToString(), failure.Status.ToString());
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
