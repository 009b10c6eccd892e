using System.Net;
using System.Net.Sockets;
using Backchannel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Sidechannel;

namespace LogTail;

/// <summary>The server: it asks each agent that attaches for a file.</summary>
internal static class LogServer
{
    private const int Window = 1 << 20;

    public static async Task<WebApplication> StartAsync(IPEndPoint listen, string file)
    {
        var sidechannels = new SidechannelRegistry();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(listen, endpoint =>
        {
            endpoint.Protocols = HttpProtocols.Http2;
            endpoint.UseBackchannel();
        }));
        builder.Services.AddRouting();
        builder.Services.AddGrpc();
        builder.Services.AddBackchannel(options =>
        {
            options.UseSidechannels(sidechannels);

            // Small calls wait behind what an agent has sent and the server has not read, which with a window of 16 MiB takes a while.
            options.Yamux.InitialStreamWindowSize = Window;
            options.Yamux.MaxStreamWindowSize = Window;
        });
        builder.Services.AddSingleton(sidechannels);
        builder.Services.AddSingleton(new WantedFile(file));
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(2));
        var app = builder.Build();
        app.MapGrpcService<AttachService>();
        try
        {
            await app.StartAsync();
        }
        catch (Exception error) when (error is IOException or SocketException)
        {
            await app.DisposeAsync();
            throw new ExplainedException($"cannot listen on {listen}: {error.GetBaseException().Message}. Choose another address; port 0 takes a free one.");
        }

        return app;
    }

    public static IPEndPoint GetEndPoint(WebApplication app)
    {
        var uri = new Uri(app.Urls.First());
        return new IPEndPoint(IPAddress.Parse(uri.Host), uri.Port);
    }
}
