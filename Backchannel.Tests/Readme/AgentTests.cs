using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Backchannel.Tests.Kit;
using Backchannel.Tests.Samples;
using Elections;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Backchannel.Tests.Readme;

/// <summary>The agent that README shows, and the server that it attaches to, at the endpoint of the appsettings.json that README shows.</summary>
public sealed class AgentTests : IAsyncDisposable
{
    private readonly PemFolder _files = new();
    private readonly List<WebApplication> _servers = [];
    private readonly Voter _voter = new();

    public async ValueTask DisposeAsync()
    {
        _files.Dispose();
        foreach (var server in _servers)
        {
            await server.DisposeAsync().Guarded(); // It would wait for an hour.
        }
    }

    [Fact]
    public async Task It_attaches_comes_back_after_a_loss_and_stops_when_what_was_called_has_ended()
    {
        var server = await StartServerAsync("https://127.0.0.1:0");
        await using var host = NewHost();
        using var channel = NewChannel(server.Urls.First(), host);
        using var agent = new Agent(new Presence.PresenceClient(channel), host, NullLogger<Agent>.Instance);
        await agent.StartAsync(CancellationToken.None).Guarded();
        var first = await PeerAsync(server, 1);
        Assert.True((await VoteAsync(first)).Accepted);
        Assert.Equal("1", await AskAsync(server));

        first.Session.Abort();
        var second = await PeerAsync(server, 2);
        Assert.True((await VoteAsync(second)).Accepted);
        _voter.Holds = true;
        var held = VoteAsync(second);
        await _voter.Asked.Task.Guarded();
        var stopping = agent.StopAsync(CancellationToken.None);
        await Guard.Until(() => Registry(server).Count == 0, "the server knows that it goes");

        Assert.False(stopping.IsCompleted);
        _voter.MayAnswer.SetResult();
        Assert.True((await held).Accepted);
        await stopping.Guarded();
        Assert.Equal(0, host.ConnectionCount);
    }

    [Fact]
    public async Task It_attaches_to_a_server_that_starts_later_and_a_server_that_stops_does_not_wait_for_it()
    {
        WebApplication? started = null;
        var refused = 0;
        await using var host = NewHost();
        using var channel = NewChannel("https://127.0.0.1", host, async (_, cancellationToken) =>
        {
            if (started is null)
            {
                refused++;
                throw new SocketException((int)SocketError.ConnectionRefused);
            }

            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync("127.0.0.1", new Uri(started.Urls.First()).Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        });
        using var agent = new Agent(new Presence.PresenceClient(channel), host, NullLogger<Agent>.Instance);
        await agent.StartAsync(CancellationToken.None).Guarded();

        await Guard.Until(() => refused > 0, "it tries");
        var server = await StartServerAsync("https://127.0.0.1:0");
        started = server;
        Assert.True((await VoteAsync(await PeerAsync(server, 1))).Accepted);
        await server.StopAsync().Guarded(); // It would wait for an hour.

        await agent.StopAsync(CancellationToken.None).Guarded();
        Assert.True(agent.ExecuteTask!.IsCompleted);
        Assert.False(agent.ExecuteTask.IsFaulted);
    }

    private static IBackchannelRegistry Registry(WebApplication server) => server.Services.GetRequiredService<IBackchannelRegistry>();

    private static async Task<BackchannelPeer> PeerAsync(WebApplication server, long id)
    {
        BackchannelPeer? peer = null;
        await Guard.Until(() => Registry(server).TryGetPeer(id, out peer), $"peer {id} is there");
        return peer!;
    }

    private static Task<Outcome> VoteAsync(BackchannelPeer peer)
        => new Voting.VotingClient(peer.Invoker).VoteAsync(new Proposal { Text = "go on" }).ResponseAsync.Guarded();

    private async Task<WebApplication> StartServerAsync(string url)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddJsonFile(Path.Combine(ReadmeTests.Folder(), "appsettings.json"), optional: false);
        builder.Configuration.AddInMemoryCollection(
        [
            new("Kestrel:Endpoints:Agents:Url", url),
            new("Kestrel:Endpoints:Agents:Certificate:Path", _files["server.pem"]),
            new("Kestrel:Endpoints:Agents:Certificate:KeyPath", _files["server.key"]),
        ]);
        Snippets.ConfigureEndpoint(builder);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromHours(1));
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        builder.Services.AddBackchannel();
        var app = builder.Build();
        _servers.Add(app);
        app.MapGrpcService<Attachments>();
        Snippets.Ask(app);
        await app.StartAsync().Guarded();
        return app;
    }

    private BackchannelHost NewHost()
        => BackchannelHost.Create(services => services.AddSingleton(_voter).AddGrpc(), endpoints => endpoints.MapGrpcService<Voter>());

    private async Task<string> AskAsync(WebApplication server)
    {
        using var http = new HttpClient(NewHandler());
        using var answer = await http.PostAsync(new Uri($"{server.Urls.First()}/ask?text=go%20on"), content: null).Guarded();
        return await answer.Content.ReadAsStringAsync().Guarded();
    }

    private GrpcChannel NewChannel(string address, BackchannelHost host, Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>>? connect = null)
    {
        var handler = NewHandler();
        handler.ConnectCallback = connect;
        return GrpcChannel.ForAddress(address, new GrpcChannelOptions { HttpHandler = handler.UseBackchannel(host), DisposeHttpClient = true });
    }

    private sealed class Voter : Voting.VotingBase
    {
        public bool Holds { get; set; }

        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource MayAnswer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override async Task<Outcome> Vote(Proposal proposal, ServerCallContext context)
        {
            if (Holds)
            {
                Asked.TrySetResult();
                await MayAnswer.Task;
            }

            return new Outcome { Accepted = proposal.Text == "go on" };
        }
    }

    private SocketsHttpHandler NewHandler()
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { X509CertificateLoader.LoadCertificateFromFile(_files["ca.pem"]) },
            RevocationMode = X509RevocationMode.NoCheck,
        };
        return handler;
    }
}
