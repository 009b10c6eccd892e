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
        await using var go = binary.Start(["grpc-server", .. certificates.ServerArguments]);
        await using var client = new CSharpClient(await go.AddressAsync(), certificates);
        var caller = new TransferCaller(client);

        foreach (var mode in TransferCaller.Modes.Select(row => row.Data))
        {
            foreach (var size in TransferCaller.Sizes)
            {
                await caller.RunAsync(mode, size);
            }
        }

        await CallerTests.EndAsync(client, go);
    }

    [Fact]
    public async Task We_move_bytes_of_every_size_for_a_Go_client()
    {
        using var certificates = new TestCertificates();
        await using var server = await CSharpServer.StartAsync(certificates);
        await using var go = binary.Start(["sidechannel-client", "-connect", server.Address, "-stay", .. certificates.ClientArguments]);

        await go.RestOfLineAsync("ok all 42");

        await HandlerTests.EndAsync(server, go);
    }
}
