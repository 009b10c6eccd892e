using System.Diagnostics.Metrics;
using System.Net;
using Backchannel.Tests.Agents;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Backchannel.Tests.Peers;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Telemetry;

/// <summary>Every instrument of docs/telemetry.md moves as it says.</summary>
public class MetricTests
{
    [Fact]
    public async Task The_server_counts_connections_and_attached_agents()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        using var connections = Collect<long>(server.Services, ServerMetrics.MeterName, "backchannel.server.active_connections");
        using var peers = Collect<long>(server.Services, ServerMetrics.MeterName, "backchannel.server.active_peers");
        using var durations = Collect<double>(server.Services, ServerMetrics.MeterName, "backchannel.server.connection.duration");
        await using (await AttachedAgent.StartAsync(server, "a"))
        {
            Assert.Equal((1, 1), (Sum(connections), Sum(peers)));
        }

        await using (var other = new TestClient(server))
        {
            await other.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
            await Guard.Until(() => (Sum(connections), Sum(peers)) == (1, 0), "the agent has gone, and a client without a name is there");
        }

        await Guard.Until(() => (Sum(connections), durations.GetMeasurementSnapshot().Count) == (0, 2), "all have gone");
        Assert.All(durations.GetMeasurementSnapshot(), measured => Assert.Equal("closed", measured.Tags["backchannel.disconnect.reason"]));
    }

    [Fact]
    public async Task The_server_counts_attachments_that_it_refuses_by_their_status()
    {
        await using var server = await TestServer.StartAsync();
        using var failures = Collect<long>(server.Services, ServerMetrics.MeterName, "backchannel.server.attach.failures");
        await using var client = new TestClient(server);

        await AttachedAgent.RefusedAsync(client, "a");

        Assert.Equal((int)StatusCode.Unauthenticated, Assert.Single(failures.GetMeasurementSnapshot()).Tags["rpc.grpc.status_code"]);
    }

    [Fact]
    public async Task The_server_measures_calls_to_peers_by_method_and_status()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        using var calls = Collect<double>(server.Services, ServerMetrics.MeterName, "backchannel.server.peer_call.duration");
        await using var agent = await AttachedAgent.StartAsync(server, "a");
        var client = server.Peers.GetClient<Tester.TesterClient>("a");

        await client.UnaryAsync(new Request()).ResponseAsync.Guarded();
        await Assert.ThrowsAsync<RpcException>(() => client.UnaryAsync(new Request { StatusCode = (int)StatusCode.Aborted, StatusDetail = "no" }).ResponseAsync.Guarded());

        var measured = calls.GetMeasurementSnapshot();
        Assert.Equal([(int)StatusCode.OK, (int)StatusCode.Aborted], measured.Select(call => call.Tags["rpc.grpc.status_code"]));
        Assert.All(measured, call => Assert.Equal(("backchannel.tests.Tester", "Unary"), (call.Tags["rpc.service"], call.Tags["rpc.method"])));
        Assert.All(measured, call => Assert.DoesNotContain("a", call.Tags.Values));
    }

    [Fact]
    public async Task The_server_measures_how_long_a_drain_has_taken()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        using var drains = Collect<double>(server.Services, ServerMetrics.MeterName, "backchannel.server.drain.duration");

        await server.Peers.DrainAsync(TestContext.Current.CancellationToken).Guarded();

        Assert.Single(drains.GetMeasurementSnapshot());
    }

    [Fact]
    public async Task The_agent_tells_whether_it_is_attached_and_how_often_and_how_fast_it_came_back()
    {
        var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        var port = new Uri(server.Address).Port;
        await using var agent = await TestAgent.StartAsync(server.Address, options: ReconnectTests.Hasty);
        using var attached = Collect<long>(agent.Services, AgentMetrics.MeterName, "backchannel.agent.attached");
        using var reconnects = Collect<long>(agent.Services, AgentMetrics.MeterName, "backchannel.agent.reconnects");
        using var failures = Collect<long>(agent.Services, AgentMetrics.MeterName, "backchannel.agent.attach.failures");
        using var durations = Collect<double>(agent.Services, AgentMetrics.MeterName, "backchannel.agent.reconnect.duration");
        await agent.Connection.WaitConnectedAsync(TestContext.Current.CancellationToken).Guarded();
        await server.DisposeAsync();
        await Guard.Until(() => failures.GetMeasurementSnapshot().Count > 0, "an attempt has failed");

        await using var again = await TestServer.StartAsync(options: AttachTests.Trusting, endPoint: new IPEndPoint(IPAddress.Loopback, port));
        await agent.Connection.WaitConnectedAsync(TestContext.Current.CancellationToken).Guarded();

        Assert.Equal(1, Sum(reconnects));
        Assert.Single(durations.GetMeasurementSnapshot());
        await agent.StopAsync(TestContext.Current.CancellationToken).Guarded();
        Assert.InRange(Sum(attached), -1, 0); // The first may have come before anybody looked.
    }

    [Fact]
    public async Task The_sessions_of_a_server_and_of_an_agent_are_measured_where_their_containers_say()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        using var sessions = Collect<long>(server.Services, "Yamux", "yamux.sessions.active");
        await using (var agent = await TestAgent.AttachAsync(server))
        {
            using var bytes = Collect<long>(agent.Services, "Yamux", "yamux.transport.io");

            await agent.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();

            Assert.Equal(1, Sum(sessions));
            Assert.NotEqual(0, Sum(bytes));
        }

        await Guard.Until(() => Sum(sessions) == 0, "the agent has gone");
    }

    [Fact]
    public async Task The_sessions_of_a_bare_host_are_measured_where_its_services_say()
    {
        await using var own = NewContainer();
        using var sessions = Collect<long>(own, "Yamux", "yamux.sessions.active");
        await using var server = await TestServer.StartAsync();
        await using (var host = BackchannelHost.Create(services => services.AddSingleton(own.GetRequiredService<IMeterFactory>()), _ => { }))
        {
            using var channel = GrpcChannel.ForAddress(
                server.Address, new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler().UseBackchannel(host), DisposeHttpClient = true });

            await new Tester.TesterClient(channel).UnaryAsync(new Request()).ResponseAsync.Guarded();

            Assert.Equal(1, Sum(sessions));
        }

        Assert.Equal(0, Sum(sessions));
    }

    [Fact]
    public async Task A_source_of_meters_that_the_application_names_is_kept()
    {
        await using var own = NewContainer();
        using var sessions = Collect<long>(own, "Yamux", "yamux.sessions.active");
        await using var server = await TestServer.StartAsync(options: server => server.Yamux.MeterFactory = own.GetRequiredService<IMeterFactory>());
        await using var client = new TestClient(server, options: host => host.Yamux.MeterFactory = own.GetRequiredService<IMeterFactory>());

        await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();

        Assert.Equal(2, Sum(sessions));
    }

    [Fact]
    public async Task Settings_of_sessions_that_others_may_have_too_are_left_as_they_are()
    {
        var shared = new YamuxOptions();
        await using var server = await TestServer.StartAsync(options: server => server.Yamux = shared);
        using var sessions = Collect<long>(server.Services, "Yamux", "yamux.sessions.active");
        await using var client = new TestClient(server, options: host => host.Yamux = shared);

        await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();

        Assert.Equal(1, Sum(sessions));
        Assert.Null(shared.MeterFactory);
    }

    private static ServiceProvider NewContainer() => new ServiceCollection().AddMetrics().BuildServiceProvider();

    private static MetricCollector<T> Collect<T>(IServiceProvider services, string meter, string instrument)
        where T : struct
        => new(services.GetRequiredService<IMeterFactory>(), meter, instrument);

    private static long Sum(MetricCollector<long> counter) => counter.GetMeasurementSnapshot().Sum(measured => measured.Value);
}
