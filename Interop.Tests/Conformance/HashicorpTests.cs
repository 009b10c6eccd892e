using Interop.Tests.Support;

namespace Interop.Tests.Conformance;

/// <summary>What Go's hashicorp/yamux does is what docs/conformance.md says.</summary>
public sealed class HashicorpTests(GoPeerBinary go)
{
    [Fact]
    public async Task As_the_server_it_does_what_the_table_says()
    {
        await using var target = go.Start("conformance", "-listen", "127.0.0.1:0", "-keepalive");
        var address = $"{await target.AddressAsync()}";
        var strict = await Yamuxspec.RunAsync("--connect", address, "--timeout", "10");
        var own = strict.Failed.Any() ? await Yamuxspec.RunAsync(["--connect", address, "--timeout", "10", "--profile", "hashicorp", "--only", .. strict.Failed.Select(result => result.Id)]) : null;
        ConformanceTable.AssertMeasured("hashicorp/yamux", strict, own);
    }
}
