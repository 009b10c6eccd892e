using System.Net;
using Backchannel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Yamux;

namespace Benchmarks.Soak.Sessions;

/// <summary>The server's end is a connection of Kestrel's, whose pipes stand before the socket.</summary>
internal sealed class KestrelTransport : ITransport
{
    private readonly SemaphoreSlim _one = new(1);
    private readonly WebApplication _app;
    private Expected? _expected;

    private KestrelTransport()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Run(ServeAsync)));
        _app = builder.Build();
    }

    public int MaxStreams => int.MaxValue;

    public TimeSpan LeastPatience => SessionPair.LittlePatience;

    public int Sockets => 2;

    public static async Task<KestrelTransport> StartAsync(CancellationToken cancellationToken)
    {
        var transport = new KestrelTransport();
        await transport._app.StartAsync(cancellationToken);
        return transport;
    }

    // One at a time, so that the connection that Kestrel accepts is the one that was made.
    public async Task<ConnectedSession> ConnectAsync(YamuxOptions clientOptions, YamuxOptions serverOptions, ILogger logger, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            var expected = new Expected(serverOptions, logger);
            Volatile.Write(ref _expected, expected);
            var client = LoopbackTransport.NewSocket();
            await client.ConnectAsync(IPEndPoint.Parse(new Uri(_app.Urls.Single()).Authority), cancellationToken);
            var server = await expected.Session.Task.WaitAsync(cancellationToken);
            return new(LoopbackTransport.NewSession(client, YamuxRole.Client, clientOptions, logger), server, client);
        }
        finally
        {
            Volatile.Write(ref _expected, null); // It would keep the session.
            _one.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _one.Dispose();
    }

    private async Task ServeAsync(ConnectionContext connection)
    {
        var expected = Volatile.Read(ref _expected)!;
        var session = connection.CreateYamuxSession(YamuxRole.Server, expected.Options, expected.Logger);
        expected.Session.SetResult(session);
        await session.Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private sealed record Expected(YamuxOptions Options, ILogger Logger)
    {
        public TaskCompletionSource<YamuxSession> Session { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
