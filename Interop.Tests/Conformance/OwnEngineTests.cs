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

    // Not goaway.10: a connection of Kestrel's is aborted when the peer has closed it, and Kestrel says that by a reset.
    [Fact]
    public async Task As_the_server_over_Kestrel_it_passes_every_strict_case_but_for_the_reset_at_the_end()
    {
        await using var target = await KestrelEchoTarget.StartAsync();
        var run = await Yamuxspec.RunAsync("--connect", target.Address, "--timeout", "20");
        Assert.True(run.ExitCode == 0 && run.Failed.All(result => result.Id == "goaway.10"), run.Describe());
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
