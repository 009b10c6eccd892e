using System.Net;
using System.Security.Cryptography.X509Certificates;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Backchannel.Tests.Proxies;

/// <summary>A server with TLS, and clients that reach it through a proxy.</summary>
public abstract class ProxiedTests : IDisposable
{
    protected static readonly NetworkCredential Right = new("agent", "s3cret");

    protected ProxiedTests() => Certificates = TestCertificates.Create();

    private protected TestCertificates Certificates { get; }

    public void Dispose()
    {
        Certificates.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected Task<TestServer> StartAsync() => TestServer.StartAsync(listen => listen.UseHttps(Certificates.Server).UseBackchannel());

    private protected TestClient NewClient(TestServer server, WebProxy proxy, Action<SocketsHttpHandler>? configure = null) => new(server, configure: handler =>
    {
        handler.Proxy = proxy;
        Trust(handler);
        configure?.Invoke(handler);
    });

    protected SocketsHttpHandler NewHandler(WebProxy proxy)
    {
        var handler = new SocketsHttpHandler { Proxy = proxy };
        Trust(handler);
        return handler;
    }

    protected static GrpcChannel NewChannel(string address, HttpMessageHandler handler) => GrpcChannel.ForAddress(
        address, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true, Credentials = ChannelCredentials.SecureSsl });

    private protected static BackchannelHost NewHost() => BackchannelHost.Create(services => services.AddGrpc(), _ => { });

    protected void Trust(SocketsHttpHandler handler) => handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { Certificates.Authority },
        RevocationMode = X509RevocationMode.NoCheck,
    };

    private protected async Task AssertFailsAsync(TestServer server, WebProxy proxy, params string[] said)
    {
        await using var client = NewClient(server, proxy);

        var error = await Assert.ThrowsAsync<RpcException>(() => client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded());

        Assert.All(said, part => Assert.Contains(part, error.Status.Detail, StringComparison.Ordinal));
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
    }

    private protected static Task AssertCalledBackAsync(TestClient client) => AssertCalledBackAsync(client.Tester);

    private protected static async Task AssertCalledBackAsync(Tester.TesterClient tester)
    {
        var reply = await tester.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded();
        Assert.Equal("client", reply.ServedBy);
    }
}
