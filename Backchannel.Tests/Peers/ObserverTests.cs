using System.Collections.Concurrent;
using Backchannel.Tests.Kit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Backchannel.Tests.Peers;

/// <summary>What the application's observers hear.</summary>
public class ObserverTests
{
    [Fact]
    public async Task An_observer_hears_who_comes_and_who_goes()
    {
        var heard = new Heard();
        await using var server = await StartAsync(heard, builder => builder.AddPeerObserver<Observer>());
        await using (await AttachedAgent.StartAsync(server, "a"))
        {
            await Guard.Until(() => heard.Lines.Count == 1, "it came");
        }

        await Guard.Until(() => heard.Lines.Count == 2, "it went");
        Assert.Equal(["a connected", "a Left"], heard.Lines);
    }

    [Fact]
    public async Task An_observer_that_throws_is_logged_and_harms_nobody()
    {
        var heard = new Heard();
        await using var server = await StartAsync(heard, builder => builder.AddPeerObserver<ThrowingObserver>().AddPeerObserver<Observer>());
        await using (await AttachedAgent.StartAsync(server, "a"))
        {
            await Guard.Until(() => heard.Lines.Count == 1, "the other heard that it came");
        }

        await Guard.Until(() => heard.Lines.Count == 2, "the other heard that it went");
        await Guard.Until(() => server.Log.Lines.Count(line => line.Event.Name == "ObserverFailed") == 2, "both are logged");
        Assert.All(server.Log.Lines.Where(line => line.Event.Name == "ObserverFailed"), line => Assert.Contains(nameof(ThrowingObserver), line.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_observer_that_never_returns_harms_nobody_and_hears_no_more_than_pairs()
    {
        var heard = new Heard();
        await using var server = await StartAsync(heard, builder => builder.AddPeerObserver<SlowObserver>().AddPeerObserver<Observer>());
        for (var i = 0; i < 10; i++)
        {
            var name = $"a{i}";
            await using var agent = await AttachedAgent.StartAsync(server, name);
            await Guard.Until(() => heard.Lines.Contains($"{name} connected") && !heard.Slow.IsEmpty, "they heard that it came"); // One that goes before is told of to nobody.
        }

        await Guard.Until(() => heard.Lines.Count == 20, "the other heard it all");
        await Guard.Until(async () => (await AttachTests.ListAsync(server)).Count == 0, "all have gone");
        heard.Continue.SetResult();
        await Guard.Until(() => heard.Slow.Count == 2, "the slow one heard the rest");
        Assert.Equal(["a0 connected", "a0 Left"], heard.Slow);
    }

    [Fact]
    public async Task A_server_that_stops_tells_what_is_left_and_waits_for_no_observer_longer_than_it_may()
    {
        var heard = new Heard();
        await using var server = await StartAsync(heard, builder => builder.AddPeerObserver<SlowObserver>().AddPeerObserver<Observer>());
        await using var agent = await AttachedAgent.StartAsync(server, "a");
        await Guard.Until(() => heard.Slow.Count == 1, "it came");

        var stopping = server.StopAsync(new CancellationToken(canceled: true));

        await stopping.Guarded();
        await Guard.Until(() => heard.Lines.Contains("a ServerStopping") || heard.Lines.Contains("a connected"), "the other is told");
        heard.Continue.SetResult();
    }

    private static Task<TestServer> StartAsync(Heard heard, Action<IBackchannelServerBuilder> add) => TestServer.StartAsync(options: AttachTests.Trusting, build: builder =>
    {
        builder.Services.AddSingleton(heard);
        add(builder);
    });

    private sealed class Heard
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ConcurrentQueue<string> Slow { get; } = new();

        public TaskCompletionSource Continue { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Observer(Heard heard) : IBackchannelPeerObserver
    {
        public ValueTask OnConnectedAsync(BackchannelPeer peer, CancellationToken cancellationToken)
        {
            heard.Lines.Enqueue($"{peer.Name} connected");
            return default;
        }

        public ValueTask OnDisconnectedAsync(BackchannelPeer peer, PeerDisconnectReason reason, CancellationToken cancellationToken)
        {
            heard.Lines.Enqueue($"{peer.Name} {reason}");
            return default;
        }
    }

    private sealed class SlowObserver(Heard heard) : IBackchannelPeerObserver
    {
        public async ValueTask OnConnectedAsync(BackchannelPeer peer, CancellationToken cancellationToken)
        {
            heard.Slow.Enqueue($"{peer.Name} connected");
            await heard.Continue.Task;
        }

        public ValueTask OnDisconnectedAsync(BackchannelPeer peer, PeerDisconnectReason reason, CancellationToken cancellationToken)
        {
            heard.Slow.Enqueue($"{peer.Name} {reason}");
            return default;
        }
    }

    private sealed class ThrowingObserver : IBackchannelPeerObserver
    {
        public ValueTask OnConnectedAsync(BackchannelPeer peer, CancellationToken cancellationToken) => throw new InvalidOperationException("no");

        public ValueTask OnDisconnectedAsync(BackchannelPeer peer, PeerDisconnectReason reason, CancellationToken cancellationToken)
            => ValueTask.FromException(new InvalidOperationException("no"));
    }
}
