using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Backchannel.Tests.Kit;

/// <summary>A real Kestrel with the backchannel and the tester service.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConnectionCounter _connections;

    private TestServer(WebApplication app, ConnectionCounter connections, TesterState state, TestLog log)
    {
        _app = app;
        _connections = connections;
        State = state;
        Log = log;
    }

    public TesterState State { get; }

    public TestLog Log { get; }

    /// <summary>How many transport connections Kestrel serves now.</summary>
    public int ConnectionCount => _connections.Count;

    /// <summary>Those connections.</summary>
    public ICollection<ConnectionContext> Connections => _connections.Connections;

    public IServiceProvider Services => _app.Services;

    public IBackchannelPeers Peers => _app.Services.GetRequiredService<IBackchannelPeers>();

    public IBackchannelRegistry Registry => _app.Services.GetRequiredService<IBackchannelRegistry>();

    /// <summary>What Kestrel says it listens on: <c>http://127.0.0.1:40001</c>, <c>http://unix:/tmp/x</c>.</summary>
    public string Address => _app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();

    public static Task<TestServer> StartAsync(
        Action<ListenOptions>? listen = null, Action<BackchannelServerOptions>? options = null, EndPoint? endPoint = null, Action<IBackchannelServerBuilder>? build = null)
        => StartAsync(kestrel => kestrel.Listen(endPoint ?? new IPEndPoint(IPAddress.Loopback, 0), listen ?? Cleartext), options, build);

    public static async Task<TestServer> StartAsync(
        Action<KestrelServerOptions> kestrel, Action<BackchannelServerOptions>? options, Action<IBackchannelServerBuilder>? build = null)
    {
        var log = new TestLog();
        var state = new TesterState("server");
        var connections = new ConnectionCounter();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(options =>
        {
            options.ConfigureEndpointDefaults(listen => listen.Use(next => connection => connections.CountAsync(connection, () => next(connection))));
            kestrel(options);
        });
        builder.Services.AddRouting();
        builder.Services.AddLogging(logging => logging.AddProvider(log).SetMinimumLevel(LogLevel.Debug));
        builder.Services.AddSingleton(state);
        builder.Services.AddGrpc();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = Guard.BeyondLimit);
        var backchannel = builder.Services.AddBackchannel(backchannel =>
        {
            backchannel.DrainTimeout = Guard.BeyondLimit;
            options?.Invoke(backchannel);
        });
        build?.Invoke(backchannel);
        var app = builder.Build();
        app.MapGrpcService<TesterService>();
        app.MapBackchannel();
        try
        {
            await app.StartAsync().Guarded();
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }

        return new TestServer(app, connections, state, log);
    }

    public static void Cleartext(ListenOptions listen)
    {
        listen.Protocols = HttpProtocols.Http2;
        listen.UseBackchannel();
    }

    /// <summary>Stops in good order, as the host of a service does.</summary>
    public Task StopAsync(CancellationToken cancellationToken = default) => _app.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync().Guarded();
        await _app.DisposeAsync().Guarded();
    }
}
