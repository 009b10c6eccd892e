using System.Net.Security;
using System.Net.Sockets;
using System.Reflection;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Xunit;

namespace Backchannel.Tests;

public class TlsAndSocketTests
{
    [Fact]
    public async Task It_works_over_TLS_beside_plain_clients()
    {
        using var certificates = TestCertificates.Create();
        await using var server = await TestServer.StartAsync(listen => listen.UseHttps(certificates.Server).UseBackchannel());
        await using var client = new TestClient(server, configure: certificates.Trust);
        await using var plain = new TestClient(server, plain: true, configure: certificates.Trust);

        var reply = await client.Tester.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded();

        Assert.Equal("client", reply.ServedBy);
        Assert.Equal("server", (await plain.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded()).ServedBy);
        Assert.Null(Assert.Single(server.State.Peers).ClientCertificate);
        server.Log.AssertNoErrors();
    }

    [Fact]
    public async Task Mutual_TLS_shows_the_clients_certificate_to_handlers()
    {
        using var certificates = TestCertificates.Create();
        await using var server = await TestServer.StartAsync(certificates.MutualTls());
        await using var client = new TestClient(server, configure: handler =>
        {
            certificates.Trust(handler);
            handler.SslOptions.ClientCertificates = [certificates.Client];
        });

        var reply = await client.Tester.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded();

        Assert.Equal("client", reply.ServedBy);
        Assert.Equal("CN=a client", Assert.Single(server.State.Peers).ClientCertificate?.Subject);
        Assert.Equal("CN=a client", Assert.Single(server.State.CallerCertificates)?.Subject);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Both_ends_have_little_unsent_in_the_kernel(bool tls)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "TCP_NOTSENT_LOWAT has another number elsewhere.");
        using var certificates = TestCertificates.Create();
        await using var server = await TestServer.StartAsync(tls ? certificates.MutualTls(ClientCertificateMode.NoCertificate) : TestServer.Cleartext);
        NetworkStream? stream = null;
        await using var client = new TestClient(server, configure: handler =>
        {
            certificates.Trust(handler);
            handler.PlaintextStreamFilter = (context, _) =>
            {
                var inner = context.PlaintextStream is SslStream secure
                    ? typeof(AuthenticatedStream).GetProperty("InnerStream", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(secure)
                    : context.PlaintextStream;
                stream = (NetworkStream)inner!;
                return ValueTask.FromResult(context.PlaintextStream);
            };
        });

        await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();

        Assert.Equal(64 * 1024, NotSentLowWater(stream!.Socket));
        Assert.Equal(64 * 1024, NotSentLowWater(Assert.Single(server.Connections).Features.Get<IConnectionSocketFeature>()!.Socket));

        static int NotSentLowWater(Socket socket)
        {
            var value = new byte[sizeof(int)];
            socket.GetRawSocketOption(6, 25, value);
            return BitConverter.ToInt32(value);
        }
    }

    [Fact]
    public async Task It_works_over_Unix_sockets()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await using var server = await TestServer.StartAsync(endPoint: new UnixDomainSocketEndPoint(path));
        await using var client = new TestClient(server);

        var reply = await client.Tester.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded();

        Assert.Equal("client", reply.ServedBy);
    }
}
