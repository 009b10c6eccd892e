using Grpc.Core;
using Interop.Tests.Proto;
using Interop.Tests.Support;

namespace Interop.Tests.Calls;

/// <summary>The handshake inside mutual TLS: calls in both directions, and the client's certificate visible to the server.</summary>
public sealed class TlsTests(GoPeerBinary binary)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_Go_client_at_our_server(bool plain)
    {
        using var endpoint = new Endpoint(Transport.MutualTls);
        await using var server = await CSharpServer.StartAsync(endpoint);
        await using var go = binary.Start(
        [
            "grpc-client", "-connect", server.Address, "-scenario", "mixed", .. plain ? ["-plain"] : new[] { "-callback", "mixed" },
            .. endpoint.ClientArguments,
        ]);

        Assert.Equal($"{(plain ? 0 : 1)} CN={TestCertificates.ClientName}", await go.RestOfLineAsync("peer "));

        await go.SucceedAsync();
        await server.EndAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Our_client_at_a_Go_server(bool plain)
    {
        await using var go = await GoServer.StartAsync(binary, transport: Transport.MutualTls);
        await using var client = go.Connect(plain);
        var options = new CallOptions(cancellationToken: TestContext.Current.CancellationToken);

        var identity = await client.Server.IdentifyAsync(new Empty(), options).ResponseAsync.Guarded();
        Assert.Equal(new Identity { CertificateName = TestCertificates.ClientName, Multiplexed = !plain, PeerId = plain ? 0 : 1 }, identity);

        var mixed = new CallBackRequest { Scenario = "mixed" };
        var calls = Scenarios.RunAsync(client.Server, mixed, options);
        if (!plain)
        {
            await client.Server.CallBackAsync(mixed, options).ResponseAsync.Guarded();
        }

        await calls.Guarded();
        await client.EndAsync();
    }
}
