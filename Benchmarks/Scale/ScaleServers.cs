using System.Globalization;
using System.Net;
using Benchmarks.Compare;

namespace Benchmarks.Scale;

/// <summary>A server of each implementation, and clients of it that come and go.</summary>
internal sealed class ScaleServers : IAsyncDisposable
{
    private readonly Dictionary<string, (ChildProcess Process, IPEndPoint Address)> _servers = [];

    /// <summary>Runs a load to its end.</summary>
    /// <returns>The figures by their names.</returns>
    /// <exception cref="MeasurementException">It failed.</exception>
    public async Task<IReadOnlyDictionary<string, double>> RunAsync(string implementation, string load, int count, double seconds, CancellationToken cancellationToken)
    {
        var contestant = Contestant.Own(implementation);
        if (!_servers.TryGetValue(implementation, out var server))
        {
            _servers[implementation] = server = await contestant.ServeAsync([], cancellationToken);
        }

        await using var client = new ChildProcess(
            contestant.Executable,
            [.. contestant.Prefix, ScaleRunCommand.Name, .. contestant.Suffix, "--load", load, "--connect", server.Address.ToString(), "--count", Text(count), "--seconds", Text(seconds)]);
        try
        {
            var output = await client.SucceedAsync(TimeSpan.FromSeconds(seconds), cancellationToken);
            return Figures.Parse(output).ToDictionary(figure => figure.Name, figure => figure.Value);
        }
        catch (MeasurementException error)
        {
            throw new MeasurementException($"{load} of {count} of {implementation}: {error.Message}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers.Values)
        {
            await server.Process.DisposeAsync();
        }
    }

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);
}
