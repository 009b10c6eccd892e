using Interop.Tests.Calls;
using Interop.Tests.Support;

namespace Interop.Tests.Sidechannel;

/// <summary>Sidechannels inside mutual TLS, where the records are not those of the frames.</summary>
public sealed class TlsTests(GoPeerBinary binary)
{
    [Fact]
    public async Task Go_handlers_move_bytes_of_every_size()
    {
        using var certificates = new TestCertificates();
        await using var go = binary.Start(
            "grpc-server", "-ca", certificates.AuthorityFile, "-cert", certificates.ServerFiles.Certificate, "-key", certificates.ServerFiles.Key);
        await using var client = new CSharpClient(await go.AddressAsync(), certificates);
        var caller = new TransferCaller(client);

        foreach (var mode in TransferCaller.Modes.Select(row => row.Data))
        {
            foreach (var size in TransferCaller.Sizes)
            {
                await caller.RunAsync(mode, size);
            }
        }

        await client.EndAsync();
        await go.RestOfLineAsync("disconnected 1");
        go.CloseInput();
        await go.SucceedAsync();
        Assert.Empty(go.Complaints);
    }

    [Fact]
    public async Task We_move_bytes_of_every_size_for_a_Go_client()
    {
        using var certificates = new TestCertificates();
        await using var server = await CSharpServer.StartAsync(certificates);
        await using var go = binary.Start(
            "sidechannel-client", "-connect", server.Address, "-stay",
            "-ca", certificates.AuthorityFile, "-cert", certificates.ClientFiles.Certificate, "-key", certificates.ClientFiles.Key);

        await go.RestOfLineAsync("ok all 42");

        var peer = server.Peers.GetPeer(1);
        await HangGuard.UntilAsync(() => peer.Session.StreamCount == 1);
        go.CloseInput();
        await go.SucceedAsync();
        await server.EndAsync();
        Assert.Empty(go.Complaints);
    }
}
