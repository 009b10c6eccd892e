using Interop.Tests.Support;

namespace Interop.Tests.Conformance;

public sealed class OwnKestrelServerTests
{
    [Fact]
    public async Task Our_engine_passes_every_strict_case()
    {
        await using var target = await KestrelEchoTarget.StartAsync();
        var run = await Yamuxspec.RunAsync("--connect", target.Address, "--timeout", "20");
        Assert.True(run.ExitCode == 0 && !run.Failed.Any(), run.Describe());
        await target.EndAsync();
    }
}
