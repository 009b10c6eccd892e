using System.Net;
using System.Net.Sockets;
using Backchannel.Tests.Kit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Authority;

/// <summary>A server to which a <see cref="BackchannelHost"/> has connected, and that speaks HTTP/2 to it byte by byte.</summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly BackchannelHost _host;
    private readonly HttpClient _client;
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _call;
    private readonly YamuxSession _session;

    private RawServer(BackchannelHost host, HttpClient client, Task call, YamuxSession session, CancellationTokenSource closing, TestLog log)
    {
        (_host, _client, _call, _session, _closing, Log) = (host, client, call, session, closing, log);
    }

    public TestLog Log { get; }

    public YamuxSession Session => _session;

    /// <summary>Connects a host that serves the tester, and answers whatever else is asked with the host that it sees.</summary>
    public static async Task<RawServer> StartAsync(Action<BackchannelHostOptions>? options = null)
    {
        var log = new TestLog();
        var host = BackchannelHost.Create(
            services => services.AddLogging(logging => logging.AddProvider(log).SetMinimumLevel(LogLevel.Debug)).AddSingleton(new TesterState("raw")).AddGrpc(),
            routes =>
            {
                routes.MapGrpcService<TesterService>();
                routes.MapFallback(context => context.Response.WriteAsync(context.Request.Host.Value ?? "none"));
            },
            options);
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();

        // The client's own call, which nobody answers: what is looked at are the server's.
        var closing = new CancellationTokenSource();
        var client = new HttpClient(new SocketsHttpHandler().UseBackchannel(host), disposeHandler: true);
        var call = client.SendAsync(
            new HttpRequestMessage(HttpMethod.Get, $"http://{listener.LocalEndPoint}") { Version = new Version(2, 0), VersionPolicy = HttpVersionPolicy.RequestVersionExact },
            closing.Token);
        var stream = new NetworkStream(await listener.AcceptAsync().Guarded(), ownsSocket: true);
        await stream.ReadExactlyAsync(new byte["backchannel".Length]).Guarded();
        var session = YamuxSession.Create(stream, YamuxRole.Server);
        await session.AcceptStreamAsync().Guarded();
        return new RawServer(host, client, call, session, closing, log);
    }

    /// <summary>Opens a stream, as a server does for its calls.</summary>
    public async Task<RawHttp2> ConnectAsync(bool sayHello = true)
    {
        var connection = new RawHttp2(await _session.OpenStreamAsync().Guarded());
        await connection.SendAsync(sayHello ? Http2Frames.Opening : []);
        return connection;
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _call.Guarded());
        _client.Dispose();
        await _session.DisposeAsync().Guarded();
        await _host.DisposeAsync().Guarded();
        _closing.Dispose();
    }
}
