using System.Net;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Microsoft.AspNetCore.Hosting;
using Xunit;

namespace Backchannel.Tests;

/// <summary>The proxy of the process, which HTTPS_PROXY sets where nothing else does. Alone, since all clients of the process have it meanwhile.</summary>
[Collection(nameof(DefaultProxyTests))]
[CollectionDefinition(nameof(DefaultProxyTests), DisableParallelization = true)]
public sealed class DefaultProxyTests
{
    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public async Task A_client_that_names_no_proxy_takes_that_of_the_environment(bool useProxy, bool hasOwnCredentials)
    {
        using var certificates = TestCertificates.Create();
        await using var server = await TestServer.StartAsync(listen => listen.UseHttps(certificates.Server).UseBackchannel());
        await using var proxy = new ConnectProxy { Credentials = new NetworkCredential("agent", "s3cret") };
        var before = HttpClient.DefaultProxy;
        HttpClient.DefaultProxy = new WebProxy(proxy.Address) { Credentials = hasOwnCredentials ? null : proxy.Credentials };
        try
        {
            await using var client = new TestClient(server, configure: handler =>
            {
                handler.UseProxy = useProxy;
                handler.DefaultProxyCredentials = hasOwnCredentials ? proxy.Credentials : null;
                handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.GetCertHashString() == certificates.Server.GetCertHashString();
            });

            var reply = await client.Tester.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded();

            Assert.Equal("client", reply.ServedBy);
            Assert.Equal(useProxy ? 1 : 0, proxy.TunnelCount);
        }
        finally
        {
            HttpClient.DefaultProxy = before;
        }
    }
}
