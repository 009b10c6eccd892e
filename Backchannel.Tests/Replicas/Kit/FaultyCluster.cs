using Backchannel.Tests.Kit;
using Microsoft.Extensions.DependencyInjection;

namespace Backchannel.Tests.Replicas.Kit;

/// <summary>Several replicas, each with a directory that can go away, of one memory.</summary>
internal sealed class FaultyCluster : IAsyncDisposable
{
    private FaultyCluster(int count)
        => Directories = [.. Enumerable.Range(0, count).Select(_ => new FaultyDirectory(Inner))];

    public InMemoryBackchannelDirectory Inner { get; } = new();

    public FaultyDirectory[] Directories { get; }

    public Replica[] Replicas { get; private set; } = [];

    public Replica this[int index] => Replicas[index];

    public static async Task<FaultyCluster> StartAsync(int count)
    {
        var cluster = new FaultyCluster(count);
        foreach (var directory in cluster.Directories)
        {
            cluster.Replicas = [.. cluster.Replicas, await Replica.StartAsync(directory, replica: settings => settings.RenewInterval = TimeSpan.FromMilliseconds(50))];
        }

        return cluster;
    }

    /// <summary>The directory goes away, and each replica knows.</summary>
    public async Task GoAwayAsync()
    {
        foreach (var directory in Directories)
        {
            directory.IsAway = true;
        }

        await Guard.Until(() => Replicas.All(replica => !replica.Server.Services.GetRequiredService<ReplicaMembership>().IsAvailable), "they know that it is away");
    }

    public void ComeBack()
    {
        foreach (var directory in Directories)
        {
            directory.IsAway = false;
        }
    }

    public async ValueTask DisposeAsync() => await new AllOf(Replicas).DisposeAsync();
}
