using System.Net.Sockets;
using Backchannel.Tests.Grpc;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Backchannel.Tests.Kit;

/// <summary>A client, multiplexed unless it is to be plain, that hosts the tester service.</summary>
internal sealed class TestClient : IAsyncDisposable
{
    private readonly Func<GrpcChannel> _newChannel;
    private readonly GrpcChannel _channel;

    public TestClient(
        TestServer server, string name = "client", bool plain = false, Action<SocketsHttpHandler>? configure = null, Action<BackchannelHostOptions>? options = null,
        string? address = null)
    {
        State = new TesterState(name);
        Host = BackchannelHost.Create(
            services =>
            {
                services.Configure<HostOptions>(host => host.ShutdownTimeout = Guard.BeyondLimit);
                services.AddLogging(logging => logging.AddProvider(Log).SetMinimumLevel(LogLevel.Debug));
                services.AddSingleton(State);
                services.AddGrpc();
            },
            endpoints => endpoints.MapGrpcService<TesterService>(),
            backchannel =>
            {
                backchannel.DrainTimeout = Guard.BeyondLimit;
                options?.Invoke(backchannel);
            });
        _newChannel = () => Connect(address ?? server.Address, plain ? null : Host, configure);
        _channel = _newChannel();
        Tester = new Tester.TesterClient(_channel);
    }

    public TestLog Log { get; } = new();

    public TesterState State { get; }

    public BackchannelHost Host { get; }

    public Tester.TesterClient Tester { get; }

    public CallInvoker Invoker => _channel.CreateCallInvoker();

    /// <summary>A further connection of the same client.</summary>
    public GrpcChannel NewChannel() => _newChannel();

    /// <summary>Closes the connection, as a client does that needs it no more.</summary>
    public void CloseChannel() => _channel.Dispose();

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await Host.DisposeAsync().Guarded();
    }

    private static GrpcChannel Connect(string address, BackchannelHost? host, Action<SocketsHttpHandler>? configure)
    {
        var handler = new SocketsHttpHandler { ConnectTimeout = Guard.BeyondLimit };
        var unix = address.IndexOf("unix:", StringComparison.Ordinal);
        if (unix >= 0)
        {
            var path = address[(unix + "unix:".Length)..];
            handler.ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            };
            address = "http://localhost";
        }

        configure?.Invoke(handler);
        return GrpcChannel.ForAddress(
            address, new GrpcChannelOptions { HttpHandler = host is null ? handler : handler.UseBackchannel(host), DisposeHttpClient = true, MaxReceiveMessageSize = null });
    }
}
