using System.Net;
using Backchannel.Tests.Kit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Backchannel.Tests.Samples;

/// <summary>A server that commits a number of votes itself, and drops its connections at every other one.</summary>
internal sealed class VanishingServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _votes;

    private VanishingServer(int answers)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, TestServer.Cleartext));
        builder.Services.AddRouting();
        builder.Services.AddBackchannel();
        _app = builder.Build();
        _app.MapPost("/gitaly.RefTransaction/VoteTransaction", async http =>
        {
            if (Interlocked.Increment(ref _votes) > answers)
            {
                http.Features.GetRequiredFeature<IConnectionLifetimeFeature>().Abort();
                return;
            }

            http.Response.ContentType = "application/grpc";
            await http.Response.Body.WriteAsync(new byte[5]); // An empty message: COMMIT.
            http.Response.AppendTrailer("grpc-status", "0");
        });
    }

    public string Address => new Uri(_app.Urls.First()).Authority;

    public static async Task<VanishingServer> StartAsync(int answers)
    {
        var server = new VanishingServer(answers);
        await server._app.StartAsync().Guarded();
        return server;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync().Guarded();
}
