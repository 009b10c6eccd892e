using System.Net;
using Benchmarks.Compare;
using Benchmarks.Shaping;

namespace Benchmarks.Grpc;

/// <summary>A server and a client of one layer, each a process of its own, that wait to be told what to run.</summary>
internal sealed class GrpcProcesses : IAsyncDisposable
{
    private readonly string _layer;

    private readonly ShapedLink? _link;

    private GrpcProcesses(GrpcLayer layer, ChildProcess server, ChildProcess client, ShapedLink? link)
    {
        _layer = GrpcOptions.Text(layer);
        _link = link;
        Server = server;
        Client = client;
    }

    public ChildProcess Server { get; }

    public ChildProcess Client { get; }

    /// <param name="layer">What lies between the calls and the connection.</param>
    /// <param name="shape">The link between the two, if it is not just this machine.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="MeasurementException">The server has not started.</exception>
    public static async Task<GrpcProcesses> StartAsync(GrpcLayer layer, LinkShape? shape, CancellationToken cancellationToken)
    {
        var server = ChildProcess.Own(GrpcServeCommand.Name, "--layer", GrpcOptions.Text(layer), "--listen", $"{IPAddress.Loopback}:0", GrpcOptions.FollowName);
        try
        {
            var line = await server.ReadAnswerAsync(TimeSpan.Zero, cancellationToken);
            if (!line.StartsWith(GrpcServeCommand.Ready, StringComparison.Ordinal))
            {
                throw new MeasurementException($"the server of gRPC over {GrpcOptions.Text(layer)} printed '{line}', and not '{GrpcServeCommand.Ready}HOST:PORT'");
            }

            var address = IPEndPoint.Parse(line[GrpcServeCommand.Ready.Length..]);
            var link = shape is null ? null : new ShapedLink(address, shape);
            var client = ChildProcess.Own(
                GrpcRunCommand.Name, "--layer", GrpcOptions.Text(layer), "--connect", (link?.Address ?? address).ToString(), GrpcOptions.FollowName);
            return new GrpcProcesses(layer, server, client, link);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a pattern for about <paramref name="seconds"/>.</summary>
    /// <returns>Calls or MiB per second.</returns>
    /// <exception cref="MeasurementException">The calls failed.</exception>
    public async Task<double> MeasureAsync(CallPattern pattern, double seconds, CancellationToken cancellationToken)
    {
        try
        {
            return Figures.ParseLine(await Client.AskAsync(FormattableString.Invariant($"{pattern.Name} {seconds}"), TimeSpan.FromSeconds(seconds), cancellationToken)).Value;
        }
        catch (MeasurementException error)
        {
            var server = Server.HasExited ? $"; the server has ended: {(await Server.FailureAsync()).Message}" : "";
            throw new MeasurementException($"gRPC over {_layer}, {pattern.Name}: {error.Message}{server}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        _link?.Dispose();
        await Server.DisposeAsync();
    }
}
