using Interop.Tests.Support;

namespace Interop.Tests.Conformance;

// One test a class, as with the two beside it: classes run beside each other, and each of these waits for more than a minute.
public sealed class OwnServerTests
{
    [Fact]
    public async Task Our_engine_passes_every_strict_case()
    {
        await using var target = new Yamuxspec("echo", "--listen", "127.0.0.1:0");
        var run = await Yamuxspec.RunAsync("--connect", $"{await target.AddressAsync()}", "--timeout", "20");
        Assert.True(run.ExitCode == 0 && !run.Failed.Any(), run.Describe());
        ConformanceTable.AssertMeasured("Backchannel", run, own: null);
    }
}
