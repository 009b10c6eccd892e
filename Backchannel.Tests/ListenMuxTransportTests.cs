using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Backchannel.Tests.Kit;
using ListenMux;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Backchannel.Tests;

/// <summary>The mux on the transports that Kestrel has; <see cref="StreamConfigurationTests"/> has it on yamux streams.</summary>
public class ListenMuxTransportTests
{
    [Theory]
    [InlineData("tcp")]
    [InlineData("tls")]
    [InlineData("unix")]
    public async Task A_magic_goes_to_its_handler_and_HTTP_goes_on(string transport)
    {
        using var certificates = TestCertificates.Create();
        var folder = Directory.CreateTempSubdirectory("mux-");
        EndPoint endPoint = transport == "unix" ? new UnixDomainSocketEndPoint(Path.Combine(folder.FullName, "socket")) : new IPEndPoint(IPAddress.Loopback, 0);
        await using var app = await StartAsync(endPoint, transport == "tls" ? certificates : null);
        if (endPoint is IPEndPoint)
        {
            endPoint = new IPEndPoint(IPAddress.Loopback, new Uri(app.Urls.Single()).Port);
        }

        await using (var raw = await ConnectAsync(endPoint, transport == "tls"))
        {
            await raw.WriteAsync("hello there, echo"u8.ToArray());
            var answer = new byte[6];
            await raw.ReadExactlyAsync(answer).Guarded();
            Assert.Equal(", echo", Encoding.ASCII.GetString(answer));
        }

        using var client = new HttpClient(new SocketsHttpHandler { ConnectCallback = async (_, _) => await ConnectAsync(endPoint, transport == "tls") });
        Assert.Equal("HTTP", await client.GetStringAsync(new Uri("http://localhost/")).Guarded());
        await app.StopAsync().Guarded();
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_client_that_resets_its_connection_before_eleven_bytes_is_no_error()
    {
        using var log = new TestLog();
        var served = new TaskCompletionSource();
        await using var app = await StartAsync(new IPEndPoint(IPAddress.Loopback, 0), null, log, served);
        using (var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(enable: true, seconds: 0) })
        {
            await socket.ConnectAsync(IPAddress.Loopback, new Uri(app.Urls.Single()).Port);
            await socket.SendAsync("hello ther"u8.ToArray());
            await served.Task.Guarded();
        }

        await Guard.Until(() => log.Lines.Any(line => line.Event.Name == "ConnectionLost"), "the mux hears of the reset");
        await app.StopAsync().Guarded();
        log.AssertNoErrors();
    }

    private static async Task<WebApplication> StartAsync(EndPoint endPoint, TestCertificates? certificates, TestLog? log = null, TaskCompletionSource? served = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(endPoint, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            if (certificates is not null)
            {
                listen.UseHttps(certificates.Server);
            }

            listen.Use(next => connection =>
            {
                served?.SetResult();
                return next(connection);
            });
            listen.UseListenMux(mux => mux.Map("hello there"u8, EchoAsync));
        }));
        if (log is not null)
        {
            builder.Services.AddLogging(logging => logging.AddProvider(log).SetMinimumLevel(LogLevel.Debug));
        }

        var app = builder.Build();
        app.Run(context => context.Response.WriteAsync("HTTP"));
        await app.StartAsync().Guarded();
        return app;
    }

    private static Task EchoAsync(ConnectionContext connection, ConnectionDelegate next)
        => connection.Transport.Input.CopyToAsync(connection.Transport.Output);

    [SuppressMessage("Security", "CA5359", Justification = "Whether the mux works inside TLS is tested, not trust.")]
    private static async Task<Stream> ConnectAsync(EndPoint endPoint, bool tls)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(endPoint);
        var stream = new NetworkStream(socket, ownsSocket: true);
        if (!tls)
        {
            return stream;
        }

        var encrypted = new SslStream(stream, leaveInnerStreamOpen: false, (_, _, _, _) => true);
        await encrypted.AuthenticateAsClientAsync("localhost");
        return encrypted;
    }
}
