using System.Net;
using Backchannel.Tests.Kit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sidechannel;
using Xunit;

namespace Backchannel.Tests.Sidechannels;

/// <summary>A real Kestrel with the backchannel and the transfer service, which may offer sidechannels to its clients too.</summary>
internal sealed class TransferServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TransferServer(WebApplication app, SidechannelRegistry sidechannels, TestLog log)
    {
        _app = app;
        Sidechannels = sidechannels;
        Log = log;
    }

    /// <summary>What the server offers to the handlers of its clients.</summary>
    public SidechannelRegistry Sidechannels { get; }

    public TestLog Log { get; }

    public IBackchannelRegistry Peers => _app.Services.GetRequiredService<IBackchannelRegistry>();

    public string Address => _app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();

    /// <param name="handler">How to serve calls.</param>
    /// <param name="endPoint">Where to listen; null: a port of loopback.</param>
    /// <param name="time">The clock of the sessions.</param>
    public static async Task<TransferServer> StartAsync(TransferHandler handler, EndPoint? endPoint = null, TimeProvider? time = null)
    {
        var log = new TestLog();
        var sidechannels = new SidechannelRegistry();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(endPoint ?? new IPEndPoint(IPAddress.Loopback, 0), TestServer.Cleartext));
        builder.Services.AddRouting();
        builder.Services.AddLogging(logging => logging.AddProvider(log).SetMinimumLevel(LogLevel.Debug));
        builder.Services.AddSingleton(handler);
        builder.Services.AddGrpc();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = Guard.BeyondLimit);
        builder.Services.AddBackchannel(options =>
        {
            options.DrainTimeout = Guard.BeyondLimit;
            options.Yamux.TimeProvider = time ?? TimeProvider.System;
            options.Yamux.EnableKeepAlive = time is null; // A clock that jumps leaves no time to answer.
            options.UseSidechannels(sidechannels);
        });
        var app = builder.Build();
        app.MapGrpcService<TransfersService>();
        await app.StartAsync().Guarded();
        return new TransferServer(app, sidechannels, log);
    }

    /// <summary>Nothing is left of any client, and nothing looked like a bug.</summary>
    public async Task AssertNothingLeftAsync()
    {
        await Guard.Until(() => Peers.Count == 0, "the registry forgets the clients");
        Assert.Equal(0, Sidechannels.Count);
        Log.AssertNoErrors();
    }

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync().Guarded();
        await _app.DisposeAsync().Guarded();
    }
}
