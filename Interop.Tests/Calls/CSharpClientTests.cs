using Grpc.Core;
using Interop.Tests.Proto;
using Interop.Tests.Support;

namespace Interop.Tests.Calls;

/// <summary>Our clients at a Go server that is made as Gitaly's is: in Praefect's way, and plain ones.</summary>
public sealed class CSharpClientTests(GoPeerBinary binary)
{
    private static CallOptions Options => new(cancellationToken: TestContext.Current.CancellationToken);

    [Theory]
    [MemberData(nameof(GoClientTests.AllScenarios), MemberType = typeof(GoClientTests))]
    public async Task We_call_Go(string scenario)
    {
        await using var go = binary.Start("grpc-server");
        await using var client = new CSharpClient(await go.AddressAsync());

        await Scenarios.RunAsync(client.Server, new CallBackRequest { Scenario = scenario }, Options).Guarded();

        await EndAsync(client, go);
    }

    [Theory]
    [MemberData(nameof(GoClientTests.AllScenarios), MemberType = typeof(GoClientTests))]
    public async Task Go_calls_us_back(string scenario)
    {
        await using var go = binary.Start("grpc-server");
        await using var client = new CSharpClient(await go.AddressAsync());

        await client.Server.CallBackAsync(new CallBackRequest { Scenario = scenario }, Options).ResponseAsync.Guarded();

        await EndAsync(client, go);
    }

    [Theory]
    [InlineData("mixed")]
    [InlineData("nested")]
    public async Task Both_call_at_once(string scenario)
    {
        await using var go = binary.Start("grpc-server");
        await using var client = new CSharpClient(await go.AddressAsync());

        var request = new CallBackRequest { Scenario = scenario, Depth = 10 };
        var calls = Enumerable.Range(0, 4).SelectMany(_ => new Task[]
        {
            Scenarios.RunAsync(client.Server, request, Options),
            client.Server.CallBackAsync(request, Options).ResponseAsync,
        });
        await Task.WhenAll(calls).Guarded();

        await EndAsync(client, go);
    }

    [Fact]
    public async Task A_cancelled_call_ends_the_call_back_that_it_led_to()
    {
        await using var go = binary.Start("grpc-server");
        await using var client = new CSharpClient(await go.AddressAsync());
        using var source = new CancellationTokenSource();
        var key = Outcomes.NewKey();

        var call = client.Server.CallBackAsync(new CallBackRequest { Scenario = "hang", Key = key }, cancellationToken: source.Token);
        await client.Log.StartOf(key).Guarded();
        await source.CancelAsync();

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.Guarded());
        Assert.Equal(StatusCode.Cancelled, failure.StatusCode);
        Assert.True((await client.Log.EndOf(key).Guarded()).Cancelled);
        await EndAsync(client, go);
    }

    [Fact]
    public async Task A_deadline_reaches_the_call_back_that_the_call_led_to()
    {
        await using var go = binary.Start("grpc-server");
        await using var client = new CSharpClient(await go.AddressAsync());
        await client.Server.IdentifyAsync(new Empty(), Options).ResponseAsync.Guarded();
        var key = Outcomes.NewKey();

        var call = client.Server.CallBackAsync(
            new CallBackRequest { Scenario = "hang", Key = key }, Options.WithDeadline(DateTime.UtcNow.AddSeconds(1)));

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.Guarded());
        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
        Assert.Equal(new End { Cancelled = true, HadDeadline = true }, await client.Log.EndOf(key).Guarded());
        await EndAsync(client, go);
    }

    [Fact]
    public async Task A_plain_client_is_served_and_cannot_be_called_back()
    {
        await using var go = binary.Start("grpc-server");
        await using var client = new CSharpClient(await go.AddressAsync(), plain: true);

        await Scenarios.RunAsync(client.Server, new CallBackRequest { Scenario = "mixed" }, Options).Guarded();
        var failure = await Assert.ThrowsAsync<RpcException>(
            () => client.Server.CallBackAsync(new CallBackRequest { Scenario = "unary" }, Options).ResponseAsync.Guarded());

        Assert.Equal(new Status(StatusCode.FailedPrecondition, "non-multiplexed connection").ToString(), failure.Status.ToString());
        await client.EndAsync();
    }

    /// <summary>When we close, Go sees its client go, with nothing to complain of.</summary>
    private static async Task EndAsync(CSharpClient client, GoPeer go)
    {
        await client.EndAsync();
        await go.RestOfLineAsync("disconnected 1");
        go.CloseInput();
        await go.SucceedAsync();
        Assert.Empty(go.Complaints);
    }
}
