using System.IO.Pipelines;

namespace Yamux.Tests.Kit;

/// <summary>Two sessions of the engine that talk to each other. A warning in either log fails the test.</summary>
public sealed class SessionPair : IAsyncDisposable
{
    private readonly CollectingLogger _log = new();

    private SessionPair(Func<YamuxOptions, CollectingLogger, (YamuxSession Client, YamuxSession Server)> create, Action<YamuxOptions>? configure)
    {
        var options = new YamuxOptions { TimeProvider = Time, EnableKeepAlive = false, MaxInboundStreams = 100_000 };
        configure?.Invoke(options);
        (Client, Server) = create(options, _log);
    }

    public TestTime Time { get; } = new();

    public YamuxSession Client { get; }

    public YamuxSession Server { get; }

    /// <summary>Over pipes.</summary>
    public static SessionPair OverPipes(PipeOptions? pipes = null, Action<YamuxOptions>? configure = null)
        => new(
            (options, log) =>
            {
                var (first, second) = DuplexPipe.CreatePair(pipes, pipes);
                return (YamuxSession.Create(first, YamuxRole.Client, options, log), YamuxSession.Create(second, YamuxRole.Server, options, log));
            },
            configure);

    /// <summary>Over any two ends of a connection.</summary>
    public static SessionPair Over(IDuplexPipe client, IDuplexPipe server, Action<YamuxOptions>? configure = null)
        => new(
            (options, log) => (YamuxSession.Create(client, YamuxRole.Client, options, log), YamuxSession.Create(server, YamuxRole.Server, options, log)),
            configure);

    /// <summary>Over any two streams that are connected.</summary>
    public static SessionPair OverStreams(Stream client, Stream server, Action<YamuxOptions>? configure = null)
        => new(
            (options, log) => (YamuxSession.Create(client, YamuxRole.Client, options, log), YamuxSession.Create(server, YamuxRole.Server, options, log)),
            configure);

    /// <summary>Over any transport that there is.</summary>
    public static async Task<SessionPair> OverAsync(PairTransport transport, Action<YamuxOptions>? configure = null)
    {
        if (transport == PairTransport.Pipes)
        {
            return OverPipes(configure: configure);
        }

        var (first, second) = await Loopback.ConnectAsync();
        var (client, server) = transport == PairTransport.Sockets ? ((Stream)first, (Stream)second) : await TlsLoopback.SecureAsync(first, second);
        return OverStreams(client, server, configure);
    }

    /// <summary>The client opens so many streams, and the server accepts them.</summary>
    public async Task<(YamuxStream Client, YamuxStream Server)[]> OpenAsync(int count)
    {
        var streams = new (YamuxStream, YamuxStream)[count];
        for (var i = 0; i < count; i++)
        {
            var client = await Client.OpenStreamAsync().Guarded();
            var server = await Server.AcceptStreamAsync().Guarded();
            Assert.Equal(client.Id, server?.Id);
            streams[i] = (client, server!);
        }

        return streams;
    }

    /// <summary>As when one end is closed in order and the other is aborted meanwhile.</summary>
    public bool ExpectsWarnings { get; set; }

    public async ValueTask DisposeAsync()
    {
        Client.Abort();
        Server.Abort();
        await Guard.EndedAsync(Task.WhenAll(Client.Completion, Server.Completion));
        if (!ExpectsWarnings)
        {
            _log.AssertNoWarnings();
        }
    }
}
