using Interop.Tests.Calls;
using Interop.Tests.Support;

namespace Interop.Tests.Sidechannel;

/// <summary>Sidechannels inside mutual TLS, where the records are not those of the frames.</summary>
public sealed class TlsTests(GoPeerBinary binary)
{
    [Fact]
    public async Task Go_handlers_move_bytes_of_every_size()
    {
        await using var go = await GoServer.StartAsync(binary, transport: Transport.MutualTls);
        await using var client = go.Connect();
        var caller = new TransferCaller(client);

        foreach (var mode in TransferCaller.Modes.Select(row => row.Data))
        {
            foreach (var size in TransferCaller.Sizes)
            {
                await caller.RunAsync(mode, size);
            }
        }

        await go.EndAsync(client);
    }

    [Fact]
    public async Task We_move_bytes_of_every_size_for_a_Go_client()
    {
        using var endpoint = new Endpoint(Transport.MutualTls);
        await using var server = await CSharpServer.StartAsync(endpoint);
        await using var go = binary.Start(["sidechannel-client", "-connect", server.Address, "-stay", .. endpoint.ClientArguments]);

        await go.RestOfLineAsync("ok all 42");

        await HandlerTests.EndAsync(server, go);
    }
}
