using System.Net;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Backchannel.Tests.Peers;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace Backchannel.Tests.Agents;

/// <summary>A program that is an agent.</summary>
public class AgentTests
{
    [Fact]
    public async Task An_agent_is_called_by_its_name_and_calls_its_server_over_one_connection()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await TestAgent.AttachAsync(server);

        Assert.Equal("a", (await server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request()).ResponseAsync.Guarded()).ServedBy);
        Assert.Equal("server", (await agent.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded()).ServedBy);
        Assert.Equal("server", (await new Tester.TesterClient(agent.Connection.Invoker).UnaryAsync(new Request()).ResponseAsync.Guarded()).ServedBy);

        Assert.Equal((1, 1), (server.Registry.Count, server.ConnectionCount));
        Assert.Equal((BackchannelConnectionState.Connected, "a"), (agent.Connection.State, agent.Connection.Name));
        Assert.Null(agent.Connection.LastFailure);
    }

    [Fact]
    public async Task A_hundred_and_fifty_calls_at_once_in_each_direction_share_the_connection_of_the_agent()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await TestAgent.AttachAsync(server);
        var calls = Enumerable.Range(0, 150).Select(_ => agent.Tester.UnaryAsync(new Request { Hang = true }).ResponseAsync)
            .Concat(Enumerable.Range(0, 150).Select(_ => server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request { Hang = true }).ResponseAsync))
            .ToArray();
        await Guard.Until(() => server.State.CallerCertificates.Count == 150 && agent.State.CallerCertificates.Count == 150, "all are there");

        server.State.LetGo();
        agent.State.LetGo();

        await Task.WhenAll(calls).Guarded();
        Assert.Equal(1, server.Registry.Count);
    }

    [Fact]
    public async Task An_agent_in_a_web_application_serves_its_own_endpoints_and_the_application_its_own()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        builder.Services.AddSingleton(new TesterState("a"));
        builder.Services.AddGrpc();
        builder.Services.AddBackchannelAgent(server.Address, agent => agent.Name = "a").MapGrpcService<TesterService>().MapEndpoints(endpoints => endpoints.MapGet("/both", () => "agent"));
        await using var app = builder.Build();
        app.MapGet("/both", () => "application");
        await app.StartAsync(TestContext.Current.CancellationToken).Guarded();
        await app.Services.GetRequiredService<IBackchannelConnection>().WaitConnectedAsync(TestContext.Current.CancellationToken).Guarded();

        Assert.Equal("a", (await server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request()).ResponseAsync.Guarded()).ServedBy);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        Assert.Equal("application", await http.GetStringAsync("/both", TestContext.Current.CancellationToken).Guarded());
        using var posted = await http.PostAsync("/backchannel.tests.Tester/Unary", null, TestContext.Current.CancellationToken).Guarded();
        Assert.Equal(HttpStatusCode.NotFound, posted.StatusCode);
        await app.StopAsync(TestContext.Current.CancellationToken).Guarded();
        await Guard.Until(() => server.Registry.Count == 0, "it has gone");
    }

    [Fact]
    public async Task A_service_of_an_agent_has_a_scope_for_each_call_and_the_interceptors_of_the_program()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await TestAgent.AttachAsync(server, build: agent => agent.Services.AddScoped<Scoped>());
        var seen = new List<Scoped>();
        agent.State.Act = context =>
        {
            seen.Add(context.GetHttpContext().RequestServices.GetRequiredService<Scoped>());
            seen.Add(context.GetHttpContext().RequestServices.GetRequiredService<Scoped>());
            return Task.CompletedTask;
        };
        var client = server.Peers.GetClient<Tester.TesterClient>("a");

        await client.UnaryAsync(new Request { Act = true }).ResponseAsync.Guarded();
        await client.UnaryAsync(new Request { Act = true }).ResponseAsync.Guarded();

        Assert.Same(seen[0], seen[1]);
        Assert.NotSame(seen[0], seen[2]);
        await Guard.Until(() => seen[0].IsDisposed, "its scope has ended"); // Which the caller does not wait for.
    }

    [Fact]
    public async Task A_service_of_an_agent_knows_which_server_calls_it()
    {
        using var certificates = TestCertificates.Create(client: "a");
        await using var server = await TestServer.StartAsync(certificates.MutualTls());
        var address = server.Address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal);
        await using var agent = await TestAgent.StartAsync(address, options: options => options.ConfigureHandler = handler =>
        {
            certificates.Trust(handler);
            handler.SslOptions.ClientCertificates = [certificates.Client];
        });
        await agent.Connection.WaitConnectedAsync(TestContext.Current.CancellationToken).Guarded();
        IBackchannelServerFeature? caller = null;
        agent.State.Act = context =>
        {
            caller = context.GetHttpContext().Features.Get<IBackchannelServerFeature>();
            return Task.CompletedTask;
        };

        await server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request { Act = true }).ResponseAsync.Guarded();

        Assert.Equal(new Uri(address), caller!.Address);
        Assert.Equal(certificates.Server.Thumbprint, caller.Certificate!.Thumbprint);
    }

    [Fact]
    public async Task The_settings_come_from_the_configuration_and_what_the_program_says_overrides_them()
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Backchannel:Agent:Address"] = "https://configured:1",
            ["Backchannel:Agent:Name"] = "configured",
            ["Backchannel:Agent:MinBackoff"] = "00:00:02",
            ["Backchannel:Agent:Labels:site"] = "north",
        }).Build());
        services.AddBackchannelAgent("https://said:1", agent => agent.MaxBackoff = TimeSpan.FromSeconds(3));
        await using var provider = services.BuildServiceProvider();

        var options = provider.GetRequiredService<IOptions<BackchannelAgentOptions>>().Value;

        Assert.Equal(("https://configured:1", "configured", 2, 3), (options.Address, options.Name, options.MinBackoff.TotalSeconds, options.MaxBackoff.TotalSeconds));
        Assert.Equal("north", options.Labels["site"]);
    }

    [Theory]
    [InlineData("Address", "", "it must be the server's address")]
    [InlineData("Address", "server:5001", "it must be the server's address")]
    [InlineData("Address", "ftp://server", "it must be the server's address")]
    [InlineData("Address", "https://server/path", "without a user, a path")]
    [InlineData("Name", "a b", "1 to 128 of the letters")]
    [InlineData("MinBackoff", "00:00:00", "more than 0 and at most MaxBackoff")]
    [InlineData("MinBackoff", "00:00:31", "more than 0 and at most MaxBackoff, 00:00:30")]
    [InlineData("MaxBackoff", "2.00:00:00", "at most 1.00:00:00")]
    [InlineData("DrainTimeout", "-00:00:05", "more than 0")]
    [InlineData("AttachTimeout", "00:00:00", "more than 0")]
    [InlineData("KeepAliveInterval", "00:00:00.5", "at least 00:00:01")]
    [InlineData("KeepAliveTimeout", "00:00:00.5", "at least 00:00:01")]
    [InlineData("Version", "129", "at most 128 bytes")]
    public async Task What_is_wrong_with_the_settings_fails_the_start_and_is_named(string option, string value, string range)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Backchannel:Agent:Address"] = "https://server",
            [$"Backchannel:Agent:{option}"] = value == "129" ? new string('v', 129) : value,
        });
        builder.Services.AddBackchannelAgent();
        using var host = builder.Build();

        var failure = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken).Guarded());

        Assert.Contains($"BackchannelAgentOptions.{option} is ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(range, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_health_check_tells_whether_the_agent_is_attached()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await TestAgent.AttachAsync(server, build: agent => agent.Services.AddHealthChecks().AddBackchannelConnection());
        var health = agent.Services.GetRequiredService<HealthCheckService>();
        Assert.Equal(HealthStatus.Healthy, (await health.CheckHealthAsync(TestContext.Current.CancellationToken).Guarded()).Status);

        await agent.StopAsync(TestContext.Current.CancellationToken).Guarded();

        Assert.Equal(HealthStatus.Unhealthy, (await health.CheckHealthAsync(TestContext.Current.CancellationToken).Guarded()).Status);
    }

    [Fact]
    public async Task An_agent_that_stops_lets_the_calls_that_it_serves_end()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await TestAgent.AttachAsync(server);
        var call = server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request { Hang = true }).ResponseAsync;
        await agent.State.Hanging.Guarded();

        var stopping = agent.StopAsync(TestContext.Current.CancellationToken);

        await Guard.Until(() => !server.Peers.TryGetPeer("a", out _), "it is attached no more");
        Assert.False(stopping.IsCompleted);
        agent.State.LetGo();
        Assert.Equal("a", (await call.Guarded()).ServedBy);
        await stopping.Guarded();
        await Guard.Until(() => server.Registry.Count == 0, "it has gone");
        await Assert.ThrowsAsync<InvalidOperationException>(() => agent.Connection.WaitConnectedAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task An_agent_whose_host_has_to_stop_cuts_off_what_it_serves()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await TestAgent.AttachAsync(server);
        var call = server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request { Hang = true }).ResponseAsync;
        await agent.State.Hanging.Guarded();
        using var overdue = new CancellationTokenSource();
        var stopping = agent.StopAsync(overdue.Token);
        await Guard.Until(() => !server.Peers.TryGetPeer("a", out _), "it is attached no more");

        await overdue.CancelAsync();

        await stopping.Guarded();
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => call.Guarded())).StatusCode);
    }

    [Fact]
    public async Task A_call_of_an_agent_that_is_not_attached_says_why()
    {
        await using var agent = await TestAgent.StartAsync("http://127.0.0.1:1");
        await Guard.Until(() => agent.Connection.LastFailure is not null, "the first attempt has failed");

        var failure = await Assert.ThrowsAsync<RpcException>(() => agent.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded());

        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.Contains("the agent is not attached to its server", failure.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("refused", failure.Status.Detail, StringComparison.Ordinal);
        Assert.Equal("none", failure.Trailers.GetValue("backchannel-dispatch"));
    }

    [Fact]
    public async Task A_call_of_an_agent_that_waits_is_made_when_it_is_attached()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await TestAgent.StartAsync(server.Address);

        Assert.Equal("server", (await agent.Tester.UnaryAsync(new Request(), new CallOptions().WithWaitForReady()).ResponseAsync.Guarded()).ServedBy);
    }

    [Fact]
    public async Task A_call_that_waits_for_an_agent_that_has_stopped_fails()
    {
        await using var agent = await TestAgent.StartAsync("http://127.0.0.1:1");
        var waiting = agent.Tester.UnaryAsync(new Request(), new CallOptions().WithWaitForReady()).ResponseAsync;
        Assert.False(waiting.IsCompleted);

        await agent.StopAsync(TestContext.Current.CancellationToken).Guarded();

        var failure = await Assert.ThrowsAsync<RpcException>(() => waiting.Guarded());
        Assert.Equal((StatusCode.Unavailable, "none"), (failure.StatusCode, failure.Trailers.GetValue("backchannel-dispatch")));
    }

    [Fact]
    public async Task An_agent_whose_endpoints_cannot_be_mapped_fails_the_start_of_its_host()
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            () => TestAgent.StartAsync("http://127.0.0.1:1", build: agent => agent.MapEndpoints(_ => throw new InvalidOperationException("no such folder"))));

        Assert.Equal("no such folder", failure.Message);
    }

    private sealed class Scoped : IDisposable
    {
        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }
}
