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
/// <remarks>
/// A voter that has no more than <c>concurrency</c> votes out at once has all its answers when that many further ones have
/// come, and the first connection is not dropped before: it would take with it answers that are still on their way.
/// </remarks>
internal sealed class VanishingServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _votes;

    private VanishingServer(int answers, int concurrency)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, TestServer.Cleartext));
        builder.Services.AddRouting();
        builder.Services.AddBackchannel();
        _app = builder.Build();
        _app.MapPost("/gitaly.RefTransaction/VoteTransaction", async http =>
        {
            var vote = Interlocked.Increment(ref _votes);
            if (vote >= answers + concurrency)
            {
                http.Features.GetRequiredFeature<IConnectionLifetimeFeature>().Abort();
                return;
            }

            if (vote > answers)
            {
                await Task.Delay(Timeout.Infinite, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return;
            }

            http.Response.ContentType = "application/grpc";
            await http.Response.Body.WriteAsync(new byte[5]); // An empty message: COMMIT.
            http.Response.AppendTrailer("grpc-status", "0");
        });
    }

    public string Address => new Uri(_app.Urls.First()).Authority;

    public static async Task<VanishingServer> StartAsync(int answers, int concurrency)
    {
        var server = new VanishingServer(answers, concurrency);
        await server._app.StartAsync().Guarded();
        return server;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync().Guarded();
}
