using System.Net;
using Benchmarks.Grpc;
using Benchmarks.Shaping;

namespace Benchmarks.Compare;

/// <summary>Who takes part, and their servers, each of which serves until the end.</summary>
internal sealed class Field(IReadOnlyList<Contestant> contestants, int pairs, bool quick, Progress progress) : IAsyncDisposable
{
    private readonly Dictionary<string, (ChildProcess Process, IPEndPoint Address)> _servers = [];
    private readonly Dictionary<(GrpcLayer Layer, LinkShape? Link), (GrpcProcesses Plain, GrpcProcesses Ours)> _grpc = [];

    public int Pairs => pairs;

    public bool Quick => quick;

    public Progress Progress => progress;

    /// <summary>Null if it was skipped.</summary>
    public Contestant? Find(string name) => contestants.FirstOrDefault(contestant => contestant.Name == name);

    /// <summary>The server of this contestant with these options.</summary>
    public async Task<IPEndPoint> ServerAsync(Contestant contestant, IReadOnlyList<string> options, CancellationToken cancellationToken)
    {
        var key = Key(contestant, options);
        if (!_servers.TryGetValue(key, out var server))
        {
            _servers[key] = server = await contestant.ServeAsync(options, cancellationToken);
        }

        return server.Address;
    }

    /// <summary>If this server has ended, which it should not: what it ended with, to be said behind what its client said.</summary>
    public async Task<string> ServerFailureAsync(Contestant contestant, IReadOnlyList<string> options)
        => _servers.TryGetValue(Key(contestant, options), out var server) && server.Process.HasExited
            ? $"; its server has ended: {(await server.Process.FailureAsync()).Message}"
            : "";

    /// <summary>Who call each other over this layer, and who do so over a plain connection: as long at work as they.</summary>
    public async Task<(GrpcProcesses Plain, GrpcProcesses Ours)> GrpcAsync(GrpcLayer layer, LinkShape? link, CancellationToken cancellationToken)
    {
        if (!_grpc.TryGetValue((layer, link), out var pair))
        {
            var plain = await GrpcProcesses.StartAsync(GrpcLayer.Plain, link, cancellationToken);
            try
            {
                pair = (plain, await GrpcProcesses.StartAsync(layer, link, cancellationToken));
            }
            catch
            {
                await plain.DisposeAsync();
                throw;
            }

            _grpc[(layer, link)] = pair;
        }

        return pair;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (plain, ours) in _grpc.Values)
        {
            await plain.DisposeAsync();
            await ours.DisposeAsync();
        }

        foreach (var server in _servers.Values)
        {
            await server.Process.DisposeAsync();
        }
    }

    private static string Key(Contestant contestant, IReadOnlyList<string> options) => string.Join(' ', [contestant.Name, .. options]);
}
