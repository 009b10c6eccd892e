using Grpc.Core;
using Interop.Tests.Proto;
using Interop.Tests.Support;

namespace Interop.Tests.Calls;

/// <summary>Our clients at a Go server that is made as Gitaly's is: in Praefect's way, and plain ones.</summary>
public sealed class CSharpClientTests(GoPeerBinary binary)
{
    public static TheoryData<string, DialBack> CallsBack { get; } = new MatrixTheoryData<string, DialBack>(
        GoClientTests.AllScenarios.Select(row => row.Data), [DialBack.Raw, DialBack.Escaped]);

    private static CallOptions Options => new(cancellationToken: TestContext.Current.CancellationToken);

    [Theory]
    [MemberData(nameof(GoClientTests.AllScenarios), MemberType = typeof(GoClientTests))]
    public async Task We_call_Go(string scenario)
    {
        await using var go = await GoServer.StartAsync(binary);
        await using var client = go.Connect();

        await Scenarios.RunAsync(client.Server, new CallBackRequest { Scenario = scenario }, Options).Guarded();

        await go.EndAsync(client);
    }

    [Theory]
    [MemberData(nameof(CallsBack))]
    public async Task Go_calls_us_back(string scenario, DialBack dialBack)
    {
        await using var go = await GoServer.StartAsync(binary, dialBack);
        await using var client = go.Connect();

        await client.Server.CallBackAsync(new CallBackRequest { Scenario = scenario }, Options).ResponseAsync.Guarded();

        await go.EndAsync(client);
    }

    [Theory]
    [InlineData("mixed")]
    [InlineData("nested")]
    public async Task Both_call_at_once(string scenario)
    {
        await using var go = await GoServer.StartAsync(binary);
        await using var client = go.Connect();

        var request = new CallBackRequest { Scenario = scenario, Depth = 10 };
        var calls = Enumerable.Range(0, 4).SelectMany(_ => new Task[]
        {
            Scenarios.RunAsync(client.Server, request, Options),
            client.Server.CallBackAsync(request, Options).ResponseAsync,
        });
        await Task.WhenAll(calls).Guarded();

        await go.EndAsync(client);
    }

    [Fact]
    public async Task A_cancelled_call_ends_the_call_back_that_it_led_to()
    {
        await using var go = await GoServer.StartAsync(binary);
        await using var client = go.Connect();
        using var source = new CancellationTokenSource();
        var key = Outcomes.NewKey();

        var call = client.Server.CallBackAsync(new CallBackRequest { Scenario = "hang", Key = key }, cancellationToken: source.Token);
        await client.Log.StartOf(key).Guarded();
        await source.CancelAsync();

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.Guarded());
        Assert.Equal(StatusCode.Cancelled, failure.StatusCode);
        Assert.True((await client.Log.EndOf(key).Guarded()).Cancelled);
        await go.EndAsync(client);
    }

    [Fact]
    public async Task A_deadline_reaches_the_call_back_that_the_call_led_to()
    {
        await using var go = await GoServer.StartAsync(binary);
        await using var client = go.Connect();
        await client.Server.IdentifyAsync(new Empty(), Options).ResponseAsync.Guarded();
        var key = Outcomes.NewKey();

        var call = client.Server.CallBackAsync(
            new CallBackRequest { Scenario = "hang", Key = key }, Options.WithDeadline(DateTime.UtcNow.AddSeconds(1)));

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.Guarded());
        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
        Assert.Equal(new End { Cancelled = true, HadDeadline = true }, await client.Log.EndOf(key).Guarded());
        await go.EndAsync(client);
    }

    [Fact]
    public async Task A_plain_client_is_served_and_cannot_be_called_back()
    {
        await using var go = await GoServer.StartAsync(binary);
        await using var client = go.Connect(plain: true);

        await Scenarios.RunAsync(client.Server, new CallBackRequest { Scenario = "mixed" }, Options).Guarded();
        var failure = await Assert.ThrowsAsync<RpcException>(
            () => client.Server.CallBackAsync(new CallBackRequest { Scenario = "unary" }, Options).ResponseAsync.Guarded());

        Assert.Equal(new Status(StatusCode.FailedPrecondition, "non-multiplexed connection").ToString(), failure.Status.ToString());
        await client.EndAsync();
    }
}
