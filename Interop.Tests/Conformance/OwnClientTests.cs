using Interop.Tests.Support;

namespace Interop.Tests.Conformance;

public sealed class OwnClientTests
{
    [Fact]
    public async Task Our_engine_passes_every_strict_case()
    {
        var run = await Yamuxspec.RunDialledAsync(address => Task.FromResult<ForeignPeer>(new Yamuxspec("echo", "--connect", address)), "--timeout", "20");
        Assert.True(run.ExitCode == 0 && !run.Failed.Any(), run.Describe());
        ConformanceTable.AssertMeasured("Backchannel", run, own: null);
    }
}
