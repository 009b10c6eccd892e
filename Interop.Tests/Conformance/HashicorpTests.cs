using Interop.Tests.Support;

namespace Interop.Tests.Conformance;

/// <summary>What Go's hashicorp/yamux does is what docs/conformance.md says.</summary>
public sealed class HashicorpTests(GoPeerBinary go)
{
    [Fact]
    public Task As_the_server_it_does_what_the_table_says()
        => ConformanceTable.AssertAsync("hashicorp/yamux", "hashicorp", () => Task.FromResult<ForeignPeer>(go.Start("conformance", "-listen", "127.0.0.1:0", "-keepalive")));
}
