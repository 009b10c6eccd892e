using System.Collections.Concurrent;
using Backchannel;
using Backchannel.Tests.Grpc;
using Fleet;
using Grpc.Core;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Backchannel.Tests.Docs;

/// <summary>What docs/migrating.md shows.</summary>
internal static class MigratingSnippets
{
    public static async Task<string> AskAsync(IHubContext<Hub> hub, string connectionId, CancellationToken cancellationToken)
    {
        var answer = await hub.Clients.Client(connectionId).InvokeAsync<string>("Restart", cancellationToken);
        return answer;
    }

    public static async Task<RestartReply> CallAsync(IBackchannelPeers peers, string name, CancellationToken cancellationToken)
    {
        var answer = await peers.GetClient<Device.DeviceClient>(name).RestartAsync(new RestartRequest(), cancellationToken: cancellationToken);
        return answer;
    }

    public static async Task MatchAsync(IAsyncStreamReader<Answer> stream, ConcurrentDictionary<int, TaskCompletionSource<Answer>> waiting, CancellationToken cancellationToken)
    {
        await foreach (var answer in stream.ReadAllAsync(cancellationToken))
        {
            if (waiting.TryRemove(answer.Id, out var request))
            {
                request.SetResult(answer);
            }
        }
    }

    internal sealed record Answer(int Id);

    internal interface ITable
    {
        Task<IReadOnlyList<Row>> ReadAsync(string name, CancellationToken cancellationToken);

        Task DeleteAsync(Row row, CancellationToken cancellationToken);
    }

    internal sealed record Row(long Id);

    internal sealed class Outbox(IBackchannelPeers peers, ITable table, ILogger logger) : BackgroundService
    {
        public async Task SendAsync(string name, CancellationToken cancellationToken)
        {
            foreach (var row in await table.ReadAsync(name, cancellationToken))
            {
                try
                {
                    await peers.GetClient<Device.DeviceClient>(name).RestartAsync(new RestartRequest(), deadline: DateTime.UtcNow.AddSeconds(30), cancellationToken: cancellationToken);
                }
                catch (RpcException failure) when (failure.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded)
                {
                    return;                                                   // it has gone again, or does not answer: the row stays
                }

                await table.DeleteAsync(row, cancellationToken);
            }
        }

        protected override Task ExecuteAsync(CancellationToken stoppingToken) => Parallel.ForEachAsync(
            peers.WatchAsync(stoppingToken).Where(change => change.Kind == PeerChangeKind.Connected),
            new ParallelOptions { MaxDegreeOfParallelism = 100, CancellationToken = stoppingToken },
            async (change, cancellationToken) =>
            {
                try
                {
                    await SendAsync(change.Name, cancellationToken);
                }
                catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
                {
                    logger.LogError(failure, "What waits for {Device} was not sent, and stays.", change.Name);
                }
            });
    }
}
