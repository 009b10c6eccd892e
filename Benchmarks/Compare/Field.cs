using System.Net;

namespace Benchmarks.Compare;

/// <summary>Who takes part, and their servers, each of which serves until the end.</summary>
internal sealed class Field(IReadOnlyList<Contestant> contestants, int pairs, bool quick, Progress progress) : IAsyncDisposable
{
    private readonly Dictionary<string, (ChildProcess Process, IPEndPoint Address)> _servers = [];

    public int Pairs => pairs;

    public bool Quick => quick;

    public Progress Progress => progress;

    /// <summary>Null if it was skipped.</summary>
    public Contestant? Find(string name) => contestants.FirstOrDefault(contestant => contestant.Name == name);

    /// <summary>The server of this contestant with these options.</summary>
    public async Task<IPEndPoint> ServerAsync(Contestant contestant, IReadOnlyList<string> options, CancellationToken cancellationToken)
    {
        var key = string.Join(' ', [contestant.Name, .. options]);
        if (!_servers.TryGetValue(key, out var server))
        {
            _servers[key] = server = await contestant.ServeAsync(options, cancellationToken);
        }

        return server.Address;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers.Values)
        {
            await server.Process.DisposeAsync();
        }
    }
}
