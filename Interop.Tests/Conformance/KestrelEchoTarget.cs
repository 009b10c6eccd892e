using System.Net;
using Backchannel;
using Conformance;
using Interop.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Yamux;

namespace Interop.Tests.Conformance;

/// <summary>Our engine as a target that listens, as <c>yamuxspec echo</c> is, but over Kestrel's connections and not over sockets. It is no part of the tool, which stays without ASP.NET Core.</summary>
internal sealed class KestrelEchoTarget : IAsyncDisposable
{
    private readonly ErrorLog _errors = new();
    private readonly WebApplication _app;

    private KestrelEchoTarget()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.AddProvider(_errors);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Run(EchoAsync)));
        _app = builder.Build();
    }

    public string Address => _app.Urls.Single().Split("://")[1];

    public static async Task<KestrelEchoTarget> StartAsync()
    {
        var target = new KestrelEchoTarget();
        await target._app.StartAsync(TestContext.Current.CancellationToken);
        return target;
    }

    /// <summary>Stops; there must have been no error.</summary>
    public async Task EndAsync()
    {
        await _app.StopAsync(TestContext.Current.CancellationToken).Guarded();
        Assert.Equal("", string.Join('\n', _errors.Entries));
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static async Task EchoAsync(ConnectionContext connection)
    {
        await using var session = connection.CreateYamuxSession(YamuxRole.Server);
        await session.EchoAsync(CancellationToken.None);
    }
}
