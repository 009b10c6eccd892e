using Interop.Tests.Support;

namespace Interop.Tests.Conformance;

/// <summary>Our engine passes every case, in both roles and over both kinds of transport.</summary>
public sealed class OwnEngineTests
{
    [Fact]
    public async Task As_the_server_it_passes_every_strict_case()
    {
        await using var target = new Yamuxspec("echo", "--listen", "127.0.0.1:0");
        var run = await Yamuxspec.RunAsync("--connect", $"{await target.AddressAsync()}", "--timeout", "20");
        Assert.True(run.ExitCode == 0 && !run.Failed.Any(), run.Describe());
        ConformanceTable.AssertMeasured("Backchannel", run, own: null);
    }

    [Fact]
    public async Task As_the_server_over_Kestrel_it_passes_every_strict_case()
    {
        await using var target = await KestrelEchoTarget.StartAsync();
        var run = await Yamuxspec.RunAsync("--connect", target.Address, "--timeout", "20");
        Assert.True(run.ExitCode == 0 && !run.Failed.Any(), run.Describe());
        await target.EndAsync();
    }

    [Fact]
    public async Task As_the_client_it_passes_every_strict_case()
    {
        var run = await Yamuxspec.RunDialledAsync(address => Task.FromResult<ForeignPeer>(new Yamuxspec("echo", "--connect", address)), "--timeout", "20");
        Assert.True(run.ExitCode == 0 && !run.Failed.Any(), run.Describe());
        ConformanceTable.AssertMeasured("Backchannel", run, own: null);
    }
}
