using System.Net;
using Backchannel;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Benchmarks.Grpc;

/// <summary>The client, with the settings that a user has who changes none.</summary>
internal sealed class GrpcClient : IAsyncDisposable
{
    private readonly GrpcLayer _layer;
    private readonly BackchannelHost _host;
    private readonly GrpcChannel _channel;

    /// <param name="layer">What lies between the calls and the connection.</param>
    /// <param name="server">Where it listens.</param>
    public GrpcClient(GrpcLayer layer, IPEndPoint server)
    {
        _layer = layer;
        _host = BackchannelHost.Create(
            services => services.AddGrpc(),
            endpoints => endpoints.MapGrpcService<LoadService>());
        var handler = new SocketsHttpHandler { UseProxy = false };
        var isMultiplexed = layer is GrpcLayer.Yamux or GrpcLayer.Backchannel;
        _channel = GrpcChannel.ForAddress($"http://{server}", new GrpcChannelOptions { HttpHandler = isMultiplexed ? handler.UseBackchannel(_host) : handler, DisposeHttpClient = true });
    }

    /// <inheritdoc cref="Caller.MeasureAsync"/>
    public async Task<double> MeasureAsync(CallPattern pattern, double seconds)
    {
        if (_layer != GrpcLayer.Backchannel)
        {
            return await new Caller(_channel.CreateCallInvoker()).MeasureAsync(pattern, seconds);
        }

        var server = new Load.LoadClient(_channel);
        return (await server.MeasureAsync(new Assignment { Pattern = pattern.Name, Seconds = seconds })).Value;
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _host.DisposeAsync();
    }
}
