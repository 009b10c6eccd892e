using Backchannel;
using Interop.Tests.Proto;
using Interop.Tests.Support;

namespace Interop.Tests.Calls;

/// <summary>An agent in Go, with stubs of the attachment's own proto.</summary>
public sealed class GoAgentTests(GoPeerBinary binary)
{
    [Fact]
    public async Task An_agent_in_Go_is_called_by_its_name()
    {
        await using var server = await CSharpServer.StartAsync();
        await using var go = binary.Start("agent", "-connect", server.Address, "-name", "gopher", "-instance", "1");
        Assert.Equal("gopher 1", await go.RestOfLineAsync("attached "));

        await new FarEnd.FarEndClient(server.Names.GetInvoker("gopher")).UnaryAsync(new Request(), cancellationToken: TestContext.Current.CancellationToken);

        Assert.True(server.Names.TryGetPeer("gopher", out var peer));
        Assert.Equal(("1", "1", "go"), (peer.Instance, peer.AgentVersion, peer.Labels["language"]));
        go.CloseInput();
        await go.SucceedAsync();
        await server.EndAsync();
    }

    [Fact]
    public async Task An_agent_in_Go_moves_when_its_server_drains()
    {
        await using var first = await CSharpServer.StartAsync();
        await using var second = await CSharpServer.StartAsync();
        await using var go = binary.Start("agent", "-connect", $"{first.Address},{second.Address}", "-name", "gopher", "-instance", "1");
        await go.RestOfLineAsync("attached ");

        await first.Names.DrainAsync(TestContext.Current.CancellationToken).Guarded();

        Assert.Equal("", await go.RestOfLineAsync("draining"));
        Assert.Equal("gopher 1", await go.RestOfLineAsync("attached "));
        await new FarEnd.FarEndClient(second.Names.GetInvoker("gopher")).UnaryAsync(new Request(), cancellationToken: TestContext.Current.CancellationToken);
        await first.EndAsync();
        go.CloseInput();
        await go.SucceedAsync();
        await second.EndAsync();
    }

    [Fact]
    public async Task An_agent_in_Go_that_is_sent_away_hears_why_and_when_to_come_back()
    {
        await using var server = await CSharpServer.StartAsync();
        await using var go = binary.Start("agent", "-connect", server.Address, "-name", "gopher");
        await go.RestOfLineAsync("attached ");
        Assert.True(server.Names.TryGetPeer("gopher", out var peer));

        await peer.DisconnectAsync("too old", TimeSpan.FromSeconds(7), TestContext.Current.CancellationToken).Guarded();

        Assert.Equal("REASON_KICKED 7000 too old", await go.RestOfLineAsync("detached "));
        await go.SucceedAsync();
        await server.EndAsync();
    }

    [Fact]
    public async Task An_agent_in_Go_without_a_name_is_refused()
    {
        await using var server = await CSharpServer.StartAsync();
        await using var go = binary.Start("agent", "-connect", server.Address);

        Assert.StartsWith("rpc error: code = Unauthenticated desc = attach refused", await go.RestOfLineAsync("fail: "), StringComparison.Ordinal);
        await server.EndAsync();
    }
}
