using Backchannel.Tests.Kit;
using Backchannel.Tests.Samples;
using Elections;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Backchannel.Tests.Readme;

/// <summary>The bare host that README shows, and the server that it connects to, at the endpoint of the appsettings.json that README shows.</summary>
public sealed class BareHostTests : IDisposable
{
    private readonly PemFolder _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task A_client_without_a_name_is_called_back_by_the_handler_of_its_call()
    {
        await using var server = await StartServerAsync();

        Assert.True((await Snippets.DecideAsync(server.Urls.First(), NewHandler()).Guarded()).Accepted);

        await Guard.Until(() => server.Services.GetRequiredService<IBackchannelRegistry>().Count == 0, "it has gone");
    }

    [Fact]
    public async Task All_that_are_connected_are_asked()
    {
        await using var server = await StartServerAsync();
        await using var host = BackchannelHost.Create(services => services.AddGrpc(), endpoints => endpoints.MapGrpcService<Voter>());
        using var channel = GrpcChannel.ForAddress(
            server.Urls.First(), new GrpcChannelOptions { HttpHandler = NewHandler().UseBackchannel(host), DisposeHttpClient = true });
        Assert.True((await new Coordination.CoordinationClient(channel).DecideAsync(new Proposal { Text = "go on" }).ResponseAsync.Guarded()).Accepted);

        using var http = new HttpClient(NewHandler());
        using var answer = await http.PostAsync(new Uri($"{server.Urls.First()}/ask?text=go%20on"), content: null).Guarded();

        Assert.Equal("1", await answer.Content.ReadAsStringAsync().Guarded());
    }

    private async Task<WebApplication> StartServerAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddJsonFile(Path.Combine(ReadmeTests.Folder(), "appsettings.json"), optional: false);
        builder.Configuration.AddInMemoryCollection(
        [
            new("Kestrel:Endpoints:Agents:Url", "https://127.0.0.1:0"),
            new("Kestrel:Endpoints:Agents:Certificate:Path", _files["server.pem"]),
            new("Kestrel:Endpoints:Agents:Certificate:KeyPath", _files["server.key"]),
        ]);
        Snippets.ConfigureEndpoint(builder);
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        builder.Services.AddBackchannel();
        var app = builder.Build();
        app.MapGrpcService<Coordinator>();
        Snippets.Ask(app);
        await app.StartAsync().Guarded();
        return app;
    }

    private SocketsHttpHandler NewHandler()
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = _files.Trust();
        return handler;
    }
}
