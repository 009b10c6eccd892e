using Interop.Tests.Support;

namespace Interop.Tests.Conformance;

/// <summary>What js-libp2p's yamux does is what docs/conformance.md says.</summary>
public sealed class Libp2pTests(NodePeerPackage node)
{
    [Fact]
    public async Task As_the_server_it_does_what_the_table_says()
    {
        await using var target = await node.StartAsync("--listen", "127.0.0.1:0", "--keepalive");
        var address = $"{await target.AddressAsync()}";
        var strict = await Yamuxspec.RunAsync("--connect", address, "--timeout", "10");
        var own = strict.Failed.Any() ? await Yamuxspec.RunAsync(["--connect", address, "--timeout", "10", "--profile", "libp2p", "--only", .. strict.Failed.Select(result => result.Id)]) : null;
        ConformanceTable.AssertMeasured("js-libp2p-yamux", strict, own);
    }
}
