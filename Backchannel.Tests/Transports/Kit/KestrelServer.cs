using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Backchannel.Tests.Kit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Yamux;

namespace Backchannel.Tests.Transports.Kit;

/// <summary>A session over a connection of a real Kestrel.</summary>
internal sealed class KestrelServer : ITransportServer
{
    private readonly TaskCompletionSource<(YamuxSession Session, Socket Socket)> _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SessionSettings _settings;
    private readonly WebApplication _app;

    private KestrelServer(SessionSettings settings, X509Certificate2? certificate)
    {
        _settings = settings;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            if (certificate is not null)
            {
                listen.UseHttps(certificate);
            }

            listen.Run(ServeAsync);
        }));
        _app = builder.Build();
    }

    public IPEndPoint Address => IPEndPoint.Parse(new Uri(_app.Urls.Single()).Authority);

    public Task<(YamuxSession Session, Socket Socket)> Connected => _connected.Task;

    /// <param name="settings">Those of the session.</param>
    /// <param name="certificate">Null: without TLS.</param>
    public static async Task<KestrelServer> StartAsync(SessionSettings settings, X509Certificate2? certificate)
    {
        var server = new KestrelServer(settings, certificate);
        await server._app.StartAsync().Guarded();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync().Guarded();
        await _app.DisposeAsync().Guarded();
    }

    private async Task ServeAsync(ConnectionContext connection)
    {
        var session = connection.CreateYamuxSession(_settings.Role, _settings.Options, _settings.Logger);
        _connected.SetResult((session, connection.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket));
        await session.Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
