using Interop.Tests.Proto;
using Interop.Tests.Support;

namespace Interop.Tests.Calls;

/// <summary>Go clients at our server: in Praefect's way, and plain ones.</summary>
public sealed class GoClientTests(GoPeerBinary binary)
{
    public static TheoryData<string> AllScenarios { get; } =
        ["unary", "server-streaming", "client-streaming", "bidirectional", "metadata", "statuses", "deadlines", "cancellation"];

    [Theory]
    [MemberData(nameof(AllScenarios))]
    public Task Go_calls_us(string scenario) => RunAsync("-scenario", scenario);

    [Theory]
    [MemberData(nameof(AllScenarios))]
    public Task We_call_Go_back(string scenario) => RunAsync("-callback", scenario);

    [Fact]
    public Task Both_call_at_once_with_all_kinds_of_call() => RunAsync("-scenario", "mixed", "-callback", "mixed", "-repeat", "4");

    [Fact]
    public Task Calls_nest_to_and_fro() => RunAsync("-scenario", "nested", "-callback", "nested", "-depth", "10", "-repeat", "4");

    [Fact]
    public Task A_cancelled_call_ends_the_call_back_that_it_led_to() => RunAsync("-cancel", "-call-key", "relayed");

    [Fact]
    public async Task A_plain_client_is_served_and_cannot_be_called_back()
    {
        await using var server = await CSharpServer.StartAsync();

        await using (var go = binary.Start("grpc-client", "-connect", server.Address, "-plain", "-scenario", "mixed"))
        {
            await go.SucceedAsync();
        }

        await using (var go = binary.Start("grpc-client", "-connect", server.Address, "-plain", "-callback", "unary"))
        {
            Assert.Equal(
                "backward unary: rpc error: code = FailedPrecondition desc = non-multiplexed connection",
                await go.RestOfLineAsync("fail: "));
        }

        await server.EndAsync();
    }

    [Fact]
    public async Task Clients_are_numbered_in_the_order_in_which_they_come()
    {
        await using var server = await CSharpServer.StartAsync();
        await using var first = binary.Start("grpc-client", "-connect", server.Address, "-serve");
        Assert.Equal("1 ", await first.RestOfLineAsync("peer "));
        await using var second = binary.Start("grpc-client", "-connect", server.Address, "-serve");
        Assert.Equal("2 ", await second.RestOfLineAsync("peer "));

        foreach (var id in new[] { 1, 2 })
        {
            Assert.True(server.Peers.TryGetPeer(id, out var peer));
            var far = new FarEnd.FarEndClient(peer.Invoker);
            await far.UnaryAsync(new Request(), cancellationToken: TestContext.Current.CancellationToken);
        }

        Assert.False(server.Peers.TryGetPeer(3, out _));
        first.CloseInput();
        second.CloseInput();
        await first.SucceedAsync();
        await second.SucceedAsync();
        await server.EndAsync();
    }

    private async Task RunAsync(params string[] arguments)
    {
        await using var server = await CSharpServer.StartAsync();
        await using var go = binary.Start(["grpc-client", "-connect", server.Address, .. arguments]);

        await go.SucceedAsync();

        await server.EndAsync();
        Assert.Empty(go.Complaints);
    }
}
