using Backchannel.Tests.Grpc;
using Elections;
using Grpc.Core;
using Grpc.Net.Client;
using ListenMux;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Sidechannel;
using Yamux;

namespace Backchannel.Tests.Readme;

/// <summary>What README shows in pieces.</summary>
internal static class Snippets
{
    public static void ConfigureEndpoint(WebApplicationBuilder builder)
    {
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigurationLoader!.Endpoint(
            "Agents", endpoint => endpoint.ListenOptions.UseHttps(endpoint.HttpsOptions).UseBackchannel()));
    }

    public static void ConfigureWithoutTls(WebApplicationBuilder builder)
    {
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(5001, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseBackchannel();
        }));
    }

    public static void Ask(WebApplication app)
    {
        app.MapPost("/ask", async (string text, IBackchannelRegistry clients, CancellationToken cancellationToken) =>
        {
            var votes = clients.Peers.Select(peer => new Voting.VotingClient(peer.Invoker)
                .VoteAsync(new Proposal { Text = text }, deadline: DateTime.UtcNow.AddSeconds(5), cancellationToken: cancellationToken).ResponseAsync);
            return (await Task.WhenAll(votes)).Count(vote => vote.Accepted);
        });
    }

    public static async Task<Outcome> DecideAsync(string address, SocketsHttpHandler handler)
    {
        await using var host = BackchannelHost.Create(
            services => services.AddGrpc(),
            endpoints => endpoints.MapGrpcService<Voter>());                      // what the server may call
        using var channel = GrpcChannel.ForAddress(
            address, new GrpcChannelOptions { HttpHandler = handler.UseBackchannel(host), DisposeHttpClient = true });
        var outcome = await new Coordination.CoordinationClient(channel).DecideAsync(new Proposal { Text = "go on" });
        await host.StopAsync();                                                   // what runs may finish; DisposeAsync aborts it

        return outcome;
    }

    public static async Task UseAloneAsync(ListenOptions listen, Stream networkStream)
    {
        listen.UseListenMux(mux => mux.Map("sidechannel"u8, (connection, next) => ServeBytesAsync(connection)));   // a ConnectionContext, past the 11 bytes

        await using var session = YamuxSession.Create(networkStream, YamuxRole.Client);
        await using var stream = await session.OpenStreamAsync();                 // an IDuplexPipe; stream.AsStream() is a Stream; the YamuxRole.Server accepts it

        static Task ServeBytesAsync(ConnectionContext connection) => Task.CompletedTask;
    }

    public static async Task CallWithBytesAsync(SidechannelRegistry sidechannels, Transfers.TransfersClient transfers, Job job, Stream file)
    {
        var done = await sidechannels.CallAsync(                                  // who makes the call
            headers => transfers.RunAsync(job, headers), (channel, ct) => channel.CopyToAsync(file, ct));
    }

    public static async Task ServeWithBytesAsync(ServerCallContext context, Stream file)
    {
        await using var channel = await context.OpenSidechannelAsync();           // who serves it
        await file.CopyToAsync(channel, context.CancellationToken);
    }
}
