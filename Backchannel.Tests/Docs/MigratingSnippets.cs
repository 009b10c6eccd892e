using System.Collections.Concurrent;
using Backchannel;
using Backchannel.Tests.Grpc;
using Fleet;
using Grpc.Core;
using Microsoft.AspNetCore.SignalR;

namespace Backchannel.Tests.Docs;

/// <summary>What docs/migrating.md shows.</summary>
internal static class MigratingSnippets
{
    public static async Task SendAsync(IBackchannelPeers peers, Outbox outbox, CancellationToken stoppingToken)
    {
        await foreach (var change in peers.WatchAsync(stoppingToken))
        {
            if (change.Kind == PeerChangeKind.Connected)
            {
                await outbox.SendAsync(change.Name, peers.GetClient<Device.DeviceClient>(change.Name), stoppingToken);
            }
        }
    }

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

    internal sealed class Outbox
    {
        public Task SendAsync(string name, Device.DeviceClient device, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
