using Benchmarks.Compare;
using Benchmarks.Grpc;
using Benchmarks.Shaping;

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

    /// <summary>What can be profiled: the workloads of <c>compare</c> that go on for as long as they are told to.</summary>
    public static IReadOnlyList<string> Ids { get; } =
    [
        .. Paired.Select(workload => workload.Id),
        .. Calls.Select(workload => workload.Id),
    ];

    private static IEnumerable<GrpcWorkload> Calls => GrpcWorkload.All.Concat(GrpcWorkload.Far);

    private static IEnumerable<PairedWorkload> Paired => WorkloadCatalog.All.OfType<PairedWorkload>().Where(workload => workload is { NeedsServer: true, Load: not "idle" });

    public ChildProcess Server { get; }

    public ChildProcess Client { get; }

    /// <exception cref="MeasurementException">The server has not started.</exception>
    public static async Task<ProfiledPair> StartAsync(string id, CancellationToken cancellationToken)
    {
        if (Calls.FirstOrDefault(workload => workload.Id == id) is { } calls)
        {
            var processes = await GrpcProcesses.StartAsync(calls.Layer, calls.Link, cancellationToken);
            try
            {
                await processes.Client.WriteLineAsync($"{calls.Pattern.Name} {EndlessSeconds}");
            }
            catch (IOException)
            {
                var failure = await processes.Client.FailureAsync();
                await processes.DisposeAsync();
                throw failure;
            }

            return new ProfiledPair(processes.Server, processes.Client, processes);
        }

        var workload = Paired.Single(workload => workload.Id == id);
        var self = Contestant.Own(WorkloadCatalog.Ours);
        var (server, address) = await self.ServeAsync(workload.WireOptions, cancellationToken);
        var link = workload.Link is null ? null : new ShapedLink(address, workload.Link);
        var client = new ChildProcess(
            self.Executable,
            [
                .. self.Prefix, "run", workload.Load, .. self.Suffix, "--connect", (link?.Address ?? address).ToString(), .. workload.WireOptions,
                "--seconds", EndlessSeconds, "--mib", EndlessMebibytes,
            ]);
        return new ProfiledPair(server, client, new Owned(client, server, link));
    }

    public ValueTask DisposeAsync() => _owned.DisposeAsync();

    private sealed class Owned(ChildProcess client, ChildProcess server, ShapedLink? link) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await client.DisposeAsync();
            link?.Dispose();
            await server.DisposeAsync();
        }
    }
}
