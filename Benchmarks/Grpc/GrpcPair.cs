using System.Globalization;
using System.Net;

namespace Benchmarks.Grpc;

/// <summary>A server and a client of one layer, each a process of its own, warm and waiting to be told what to run.</summary>
internal sealed class GrpcPair : IAsyncDisposable
{
    private readonly ChildProcess _server;
    private readonly ChildProcess _client;

    private GrpcPair(ChildProcess server, ChildProcess client)
    {
        _server = server;
        _client = client;
    }

    public static async Task<GrpcPair> StartAsync(GrpcLayer layer)
    {
        var anyPort = new IPEndPoint(IPAddress.Loopback, 0);
        var server = new ChildProcess(GrpcServeCommand.Name, "--layer", GrpcOptions.Text(layer), "--listen", anyPort.ToString());
        try
        {
            var address = (await server.ReadLineAsync())[GrpcServeCommand.Ready.Length..];
            return new GrpcPair(server, new ChildProcess(GrpcRunCommand.Name, "--layer", GrpcOptions.Text(layer), "--connect", address, "--follow"));
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a workload for about <paramref name="seconds"/>.</summary>
    /// <returns>Calls or MiB per second.</returns>
    public async Task<double> MeasureAsync(GrpcWorkload workload, double seconds)
    {
        await _client.WriteLineAsync(FormattableString.Invariant($"{workload.Id} {seconds}"));
        return double.Parse((await _client.ReadLineAsync()).Split(' ')[1], CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }
}
