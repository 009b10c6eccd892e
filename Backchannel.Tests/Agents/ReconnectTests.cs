using System.Net;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Backchannel.Tests.Peers;
using Backchannel.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Backchannel.Tests.Agents;

/// <summary>An agent that has lost its server, or that its server does not want.</summary>
public class ReconnectTests
{
    [Fact]
    public async Task An_agent_whose_connection_is_lost_is_attached_again_within_a_second_of_its_clock()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await TestAgent.AttachAsync(server, time: time);
        await using var states = agent.Connection.WatchAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.Equal(BackchannelConnectionState.Connected, await NextAsync(states));

        Assert.Single(server.Connections).Abort();
        Assert.Equal(BackchannelConnectionState.Reconnecting, await NextAsync(states));
        Assert.NotNull(agent.Connection.LastFailure);
        await Guard.Until(() => Waits(agent) == 1, "it waits");

        time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(BackchannelConnectionState.Connected, await NextAsync(states));
        Assert.Null(agent.Connection.LastFailure);
        Assert.Equal("a", (await server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request()).ResponseAsync.Guarded()).ServedBy);
    }

    [Fact]
    public async Task A_wall_clock_that_jumps_ends_no_connection()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(options: options =>
        {
            AttachTests.Trusting(options);
            options.Yamux.TimeProvider = time;
        });
        await using var agent = await TestAgent.AttachAsync(server, time: time);
        var calls = server.Peers.GetClient<Tester.TesterClient>("a");

        foreach (var jump in new[] { TimeSpan.FromDays(1), TimeSpan.FromDays(-2), TimeSpan.FromDays(400) })
        {
            time.AdjustTime(time.GetUtcNow() + jump);

            await calls.UnaryAsync(new Request()).ResponseAsync.Guarded();
            await agent.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
        }

        Assert.Equal(BackchannelConnectionState.Connected, agent.Connection.State);
        Assert.Single(agent.Log.Lines, line => line.Event.Name == "AgentAttached");
    }

    [Fact]
    public async Task An_agent_comes_back_to_a_server_that_was_started_again()
    {
        var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        var port = new Uri(server.Address).Port;
        await using var agent = await TestAgent.AttachAsync(server, options: Hasty);
        await server.DisposeAsync();
        await Guard.Until(() => agent.Connection.LastFailure is RpcException { StatusCode: StatusCode.Unavailable }, "nobody is there");

        await using var again = await TestServer.StartAsync(options: AttachTests.Trusting, endPoint: new IPEndPoint(IPAddress.Loopback, port));

        await agent.Connection.WaitConnectedAsync(TestContext.Current.CancellationToken).Guarded();
        Assert.Equal("a", (await again.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request()).ResponseAsync.Guarded()).ServedBy);
        Assert.Equal("server", (await agent.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded()).ServedBy);
    }

    [Fact]
    public async Task An_agent_that_was_sent_away_comes_back_when_it_was_told_to()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await TestAgent.AttachAsync(server, time: time);
        Assert.True(server.Peers.TryGetPeer("a", out var peer));

        await peer.DisconnectAsync("too old", TimeSpan.FromMinutes(7), TestContext.Current.CancellationToken).Guarded();
        await Guard.Until(() => Waits(agent) == 1, "it waits");
        Assert.Contains(agent.Log.Lines, line => line.Event.Name == "AgentDetached" && line.Message.Contains("too old", StringComparison.Ordinal));

        time.Advance(TimeSpan.FromMinutes(7) - TimeSpan.FromMilliseconds(1));
        Assert.Equal(BackchannelConnectionState.Reconnecting, agent.Connection.State);
        time.Advance(TimeSpan.FromSeconds(1.1));
        await agent.Connection.WaitConnectedAsync(TestContext.Current.CancellationToken).Guarded();
    }

    [Fact]
    public async Task A_refusal_that_lasts_is_an_error_once_and_asked_about_at_the_greatest_distance()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(); // It has no name for anybody.
        await using var agent = await TestAgent.StartAsync(server.Address, time: time);

        for (var i = 1; i <= 3; i++)
        {
            await Guard.Until(() => Waits(agent) == i, $"it waits for the {i}. time");
            time.Advance(TimeSpan.FromSeconds(29));
            Assert.Equal(i, server.Log.Lines.Count(line => line.Event.Name == "AttachRefused"));
            time.Advance(TimeSpan.FromSeconds(1));
        }

        var line = Assert.Single(agent.Log.Lines, line => line.Level == LogLevel.Error);
        Assert.Contains("TrustNamesOfClients", line.Message, StringComparison.Ordinal);
        Assert.Contains(server.Address, line.Message, StringComparison.Ordinal);
        Assert.Equal(BackchannelConnectionState.Connecting, agent.Connection.State);
    }

    [Fact]
    public async Task Refusals_that_take_turns_are_logged_once_each()
    {
        await using var server = await TestServer.StartAsync(build: builder => builder.Services.AddSingleton<IBackchannelPeerNameProvider>(new Fickle()));
        await using var agent = await TestAgent.StartAsync(server.Address, options: Hasty);

        await Guard.Until(() => Waits(agent) >= 40, "it was refused again and again");

        Assert.Equal(16, agent.Log.Lines.Count(line => line.Event.Name == "AgentRefused"));
    }

    [Fact]
    public async Task A_server_that_knows_no_attachment_is_named_as_such()
    {
        await using var server = await OlderServerAsync(listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseBackchannel();
        });
        await using var agent = await TestAgent.StartAsync(server.Urls.Single());

        await Guard.Until(() => agent.Connection.LastFailure is not null, "it is refused");

        Assert.Equal(StatusCode.Unimplemented, Assert.IsType<RpcException>(agent.Connection.LastFailure).StatusCode);
        await Guard.Until(() => agent.Log.Lines.Any(line => line.Event.Name == "AgentRefused"), "it says so");
        Assert.Contains("MapBackchannel", agent.Log.Lines.First(line => line.Event.Name == "AgentRefused").Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_without_a_backchannel_is_named_as_such()
    {
        await using var server = await OlderServerAsync(listen => listen.Protocols = HttpProtocols.Http2);
        await using var agent = await TestAgent.StartAsync(server.Urls.Single());

        await Guard.Until(() => agent.Connection.LastFailure is not null, "it is refused");

        Assert.Contains("UseBackchannel", AgentFailure.Explain(agent.Connection.LastFailure!), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_that_does_not_verify_is_named()
    {
        using var certificates = TestCertificates.Create();
        await using var server = await TestServer.StartAsync(listen => listen.UseHttps(certificates.Server).UseBackchannel(), AttachTests.Trusting);
        await using var agent = await TestAgent.StartAsync(server.Address);

        await Guard.Until(() => agent.Connection.LastFailure is not null, "it does not connect");

        Assert.Contains("certificate", AgentFailure.Explain(agent.Connection.LastFailure!), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_never_attaches_the_agent_is_given_up_in_time()
    {
        var time = new FakeTimeProvider();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TestServer.StartAsync(build: builder => builder.Services.AddSingleton<IBackchannelPeerNameProvider>(new NeverNaming(asked)));
        await using var agent = await TestAgent.StartAsync(server.Address, time: time);
        await asked.Task.Guarded();

        time.Advance(TimeSpan.FromSeconds(30));

        await Guard.Until(() => agent.Connection.LastFailure is not null, "it is given up");
        var failure = Assert.IsType<RpcException>(agent.Connection.LastFailure);
        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
        Assert.Contains("AttachTimeout", failure.Status.Detail, StringComparison.Ordinal);
        await Guard.Until(() => server.Registry.Count == 0, "the connection is closed");
    }

    [Fact]
    public async Task An_agent_stops_while_it_waits_and_while_it_tries()
    {
        var time = new FakeTimeProvider();
        await using var waiting = await TestAgent.StartAsync("http://127.0.0.1:1", time: time);
        await Guard.Until(() => Waits(waiting) == 1, "it waits");
        await waiting.StopAsync(TestContext.Current.CancellationToken).Guarded();

        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TestServer.StartAsync(build: builder => builder.Services.AddSingleton<IBackchannelPeerNameProvider>(new NeverNaming(asked)));
        await using var trying = await TestAgent.StartAsync(server.Address, time: time);
        await asked.Task.Guarded();
        await trying.StopAsync(TestContext.Current.CancellationToken).Guarded();
        Assert.Equal(BackchannelConnectionState.Stopped, trying.Connection.State);
    }

    internal static void Hasty(BackchannelAgentOptions options)
        => (options.MinBackoff, options.MaxBackoff) = (TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(20));

    private static int Waits(TestAgent agent) => agent.Log.Lines.Count(line => line.Event.Name is "AgentNotAttached" or "AgentRefused" or "AgentStillNotAttached");

    private static async Task<BackchannelConnectionState> NextAsync(IAsyncEnumerator<BackchannelConnectionState> states)
    {
        Assert.True(await states.MoveNextAsync().Guarded());
        return states.Current;
    }

    private static async Task<WebApplication> OlderServerAsync(Action<ListenOptions> listen)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen));
        builder.Services.AddGrpc();
        builder.Services.AddBackchannel();
        builder.Services.AddSingleton(new TesterState("older"));
        var app = builder.Build();
        app.MapGrpcService<TesterService>();
        await app.StartAsync(TestContext.Current.CancellationToken).Guarded();
        return app;
    }

    private sealed class Fickle : IBackchannelPeerNameProvider
    {
        private int _count;

        public ValueTask<string?> GetNameAsync(HttpContext context, CancellationToken cancellationToken)
            => throw new RpcException(new Status(StatusCode.PermissionDenied, $"not you: {Interlocked.Increment(ref _count) % 16}"));
    }

    private sealed class NeverNaming(TaskCompletionSource asked) : IBackchannelPeerNameProvider
    {
        public async ValueTask<string?> GetNameAsync(HttpContext context, CancellationToken cancellationToken)
        {
            asked.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return null;
        }
    }
}
