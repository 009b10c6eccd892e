using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Backchannel.Tests.Peers;
using Xunit;

namespace Backchannel.Tests.Docs;

/// <summary>What docs/operations.md says of a balancer that ends TLS.</summary>
public class EndedTlsTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_agent_reaches_a_server_behind_what_ends_TLS_if_the_server_takes_its_scheme(bool takesIt)
    {
        await using var server = await TestServer.StartAsync(
            kestrel =>
            {
                kestrel.AllowAlternateSchemes = takesIt;
                kestrel.Listen(IPAddress.Loopback, 0, TestServer.Cleartext);
            },
            AttachTests.Trusting);
        using var certificates = TestCertificates.Create();
        using var balancer = new TlsEndingBalancer(certificates, new Uri(server.Address).Port);
        await using var agent = await TestAgent.StartAsync($"https://localhost:{balancer.Port}", options: options => options.ConfigureHandler = certificates.Trust);

        if (takesIt)
        {
            await agent.Connection.WaitConnectedAsync(TestContext.Current.CancellationToken).Guarded();
            Assert.Equal("a", (await server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request()).ResponseAsync.Guarded()).ServedBy);
        }
        else
        {
            await Guard.Until(() => agent.Connection.LastFailure is not null, "it does not attach");
            Assert.Contains("PROTOCOL_ERROR", AgentFailure.Explain(agent.Connection.LastFailure!), StringComparison.Ordinal);
        }
    }

    /// <summary>Takes TLS off, and forwards the bytes.</summary>
    private sealed class TlsEndingBalancer : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly TestCertificates _certificates;
        private readonly int _target;

        public TlsEndingBalancer(TestCertificates certificates, int target)
        {
            _certificates = certificates;
            _target = target;
            _listener.Start();
            _ = AcceptAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public void Dispose() => _listener.Dispose();

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    _ = ForwardAsync(await _listener.AcceptTcpClientAsync());
                }
            }
            catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
            {
                // Disposed.
            }
        }

        private async Task ForwardAsync(TcpClient accepted)
        {
            using (accepted)
            await using (var outer = new SslStream(accepted.GetStream()))
            using (var inner = new TcpClient())
            {
                await outer.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificates.Server, ApplicationProtocols = [SslApplicationProtocol.Http2] });
                await inner.ConnectAsync(IPAddress.Loopback, _target);
                await Task.WhenAny(outer.CopyToAsync(inner.GetStream()), inner.GetStream().CopyToAsync(outer));
            }
        }
    }
}
