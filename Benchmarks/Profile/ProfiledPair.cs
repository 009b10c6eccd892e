using Benchmarks.Compare;
using Benchmarks.Grpc;
using Benchmarks.Loads;

namespace Benchmarks.Profile;

/// <summary>The server and the client of a workload, which run until they are disposed of.</summary>
internal sealed class ProfiledPair : IAsyncDisposable
{
    private const string EndlessSeconds = "3600";
    private const string EndlessMebibytes = "1048576";

    private readonly IAsyncDisposable _owned;

    private ProfiledPair(ChildProcess server, ChildProcess client, IAsyncDisposable owned)
    {
        Server = server;
        Client = client;
        _owned = owned;
    }

    /// <summary>What can be profiled: the loads that go on for as long as they are told to, and the gRPC calls.</summary>
    public static IReadOnlyList<string> Ids { get; } =
    [
        .. LoadCatalog.All.Where(load => load.NeedsServer && load is not IdleLoad).Select(load => load.Id),
        .. GrpcWorkload.All.Select(workload => workload.Id),
    ];

    public ChildProcess Server { get; }

    public ChildProcess Client { get; }

    /// <exception cref="MeasurementException">The server has not started.</exception>
    public static async Task<ProfiledPair> StartAsync(string id, CancellationToken cancellationToken)
    {
        if (GrpcWorkload.All.FirstOrDefault(workload => workload.Id == id) is { } calls)
        {
            var processes = await GrpcProcesses.StartAsync(calls.Layer, calls.MaxWindow, cancellationToken);
            await processes.Client.WriteLineAsync($"{calls.Pattern.Name} {EndlessSeconds}");
            return new ProfiledPair(processes.Server, processes.Client, processes);
        }

        var self = Contestant.Own(WorkloadCatalog.Ours);
        var (server, address) = await self.ServeAsync([], cancellationToken);
        var client = new ChildProcess(
            self.Executable,
            [.. self.Prefix, "run", id, .. self.Suffix, "--connect", address.ToString(), "--seconds", EndlessSeconds, "--mib", EndlessMebibytes]);
        return new ProfiledPair(server, client, new Both(client, server));
    }

    public ValueTask DisposeAsync() => _owned.DisposeAsync();

    private sealed class Both(ChildProcess client, ChildProcess server) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await client.DisposeAsync();
            await server.DisposeAsync();
        }
    }
}
