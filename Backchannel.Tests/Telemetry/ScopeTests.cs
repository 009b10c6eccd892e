using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Backchannel.Tests.Peers;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Backchannel.Tests.Telemetry;

/// <summary>docs/telemetry.md, "Logs": each line says of which connection it is, and of whom.</summary>
public class ScopeTests
{
    [Fact]
    public async Task What_the_server_logs_of_a_connection_is_in_a_scope_with_the_connection_and_the_peer()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        long id;
        await using (await AttachedAgent.StartAsync(server, "a"))
        {
            id = Assert.Single(server.Registry.Peers).Id;
        }

        await Guard.Until(() => server.Log.Lines.Any(line => line.Event.Name == "PeerDisconnected"), "the connection has ended");

        var connection = Assert.Single(server.Log.Lines, line => line.Event.Name == "PeerConnected").Scope["ConnectionId"];
        foreach (var name in new[] { "Attached", "Detached", "PeerDraining", "PeerDisconnected" })
        {
            var scope = Assert.Single(server.Log.Lines, line => line.Event.Name == name).Scope;
            Assert.Equal((connection, id, "a"), (scope["ConnectionId"], scope["PeerId"], scope["PeerName"]));
        }
    }

    [Fact]
    public async Task What_a_session_logs_says_its_connection_at_either_end()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        var agent = await TestAgent.AttachAsync(server);
        await agent.DisposeAsync();

        await Guard.Until(() => server.Log.Lines.Any(IsOfSession), "the session of the server has ended");
        await Guard.Until(() => agent.Log.Lines.Any(IsOfSession), "the session of the agent has ended");

        Assert.Equal("a", server.Log.Lines.First(IsOfSession).Scope["PeerName"]);
        Assert.NotEqual("", server.Log.Lines.First(IsOfSession).Scope["ConnectionId"]);
        var own = agent.Log.Lines.First(IsOfSession).Scope;
        Assert.Equal(("backchannel-1", new Uri(server.Address)), (own["ConnectionId"], own["ServerAddress"]));
    }

    [Fact]
    public async Task What_an_observer_logs_is_in_the_scope_of_the_peer()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting, build: build => build.AddPeerObserver<Telling>());
        await using var agent = await AttachedAgent.StartAsync(server, "a");

        await Guard.Until(() => server.Log.Lines.Any(line => line.Message.StartsWith("it has come", StringComparison.Ordinal)), "the observer was told");

        Assert.Equal("a", server.Log.Lines.Single(line => line.Message.StartsWith("it has come", StringComparison.Ordinal)).Scope["PeerName"]);
    }

    [Fact]
    public async Task A_client_that_has_no_name_has_a_number_alone()
    {
        await using var server = await TestServer.StartAsync();
        await using (var client = new TestClient(server))
        {
            await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
        }

        await Guard.Until(() => server.Log.Lines.Any(line => line.Event.Name == "PeerDisconnected"), "the connection has ended");

        var scope = server.Log.Lines.Single(line => line.Event.Name == "PeerDisconnected").Scope;
        Assert.Equal(1L, scope["PeerId"]);
        Assert.False(scope.ContainsKey("PeerName"));
    }

    private static bool IsOfSession((LogLevel Level, string Category, EventId Event, string Message, IReadOnlyDictionary<string, object?> Scope) line)
        => line.Category == "Yamux" && line.Event.Name == "SessionClosed";

    private sealed class Telling(ILogger<Telling> logger) : IBackchannelPeerObserver
    {
        public ValueTask OnConnectedAsync(BackchannelPeer peer, CancellationToken cancellationToken)
        {
            logger.Log(LogLevel.Information, default, "it has come", null, static (said, _) => said);
            return default;
        }

        public ValueTask OnDisconnectedAsync(BackchannelPeer peer, PeerDisconnectReason reason, CancellationToken cancellationToken) => default;
    }
}
