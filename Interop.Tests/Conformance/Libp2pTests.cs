using Interop.Tests.Support;

namespace Interop.Tests.Conformance;

/// <summary>What js-libp2p's yamux does is what docs/conformance.md says.</summary>
public sealed class Libp2pTests(NodePeerPackage node)
{
    [Fact]
    public Task As_the_server_it_does_what_the_table_says()
        => ConformanceTable.AssertAsync("js-libp2p-yamux", "libp2p", async () => await node.StartTargetAsync("--listen", "127.0.0.1:0", "--keepalive"));
}
