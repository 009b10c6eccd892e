using System.Collections.Concurrent;
using System.Diagnostics;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Backchannel.Tests.Peers;
using Grpc.Core;
using Xunit;

namespace Backchannel.Tests.Telemetry;

/// <summary>One trace goes through the server, the agent and back.</summary>
public class TraceTests
{
    [Fact]
    public async Task A_call_to_a_peer_is_a_span_and_the_agent_goes_on_with_its_trace()
    {
        using var spans = new Spans();
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await TestAgent.AttachAsync(server);
        using var root = new Activity("root").Start();
        agent.State.Act = async _ => await agent.Tester.UnaryAsync(new Request());

        await server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request { Act = true }).ResponseAsync.Guarded();

        var client = await spans.FindAsync(span => span.Kind == ActivityKind.Client && span.TraceId == root.TraceId);
        var served = await spans.FindAsync(span => span.Kind == ActivityKind.Server && span.TraceId == root.TraceId);
        Assert.Equal(root.SpanId, client.ParentSpanId);
        Assert.Equal("backchannel.tests.Tester/Unary", client.OperationName);
        Assert.Equal(
            ("grpc", "backchannel.tests.Tester", "Unary", "a", 0),
            (client.GetTagItem("rpc.system"), client.GetTagItem("rpc.service"), client.GetTagItem("rpc.method"), client.GetTagItem("backchannel.peer.name"), client.GetTagItem("rpc.grpc.status_code")));
        Assert.Equal("backchannel.tests.Tester/Unary", served.OperationName);
        Assert.Same(root, Activity.Current);
    }

    [Fact]
    public async Task A_call_that_fails_is_an_error_with_its_status()
    {
        using var spans = new Spans();
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await TestAgent.AttachAsync(server);
        using var root = new Activity("root").Start();

        await Assert.ThrowsAsync<RpcException>(
            () => server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request { StatusCode = (int)StatusCode.Aborted, StatusDetail = "no" }).ResponseAsync.Guarded());

        var client = await spans.FindAsync(span => span.Kind == ActivityKind.Client && span.TraceId == root.TraceId);
        Assert.Equal((ActivityStatusCode.Error, (int)StatusCode.Aborted), (client.Status, (int)client.GetTagItem("rpc.grpc.status_code")!));
    }

    [Fact]
    public async Task A_stream_is_a_span_until_its_end_and_one_that_is_disposed_of_is_cancelled()
    {
        using var spans = new Spans();
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await TestAgent.AttachAsync(server);
        using var root = new Activity("root").Start();
        var token = TestContext.Current.CancellationToken;
        using (var whole = server.Peers.GetClient<Tester.TesterClient>("a").ServerStream(new Request { Count = 1 }))
        {
            while (await whole.ResponseStream.MoveNext(token).Guarded())
            {
            }
        }

        using (var cut = server.Peers.GetClient<Tester.TesterClient>("a").ServerStream(new Request { Count = 1, Hang = true }))
        {
            Assert.True(await cut.ResponseStream.MoveNext(token).Guarded());
        }

        await spans.FindAsync(span => span.Kind == ActivityKind.Client && span.TraceId == root.TraceId && span.GetTagItem("rpc.grpc.status_code") is (int)StatusCode.OK);
        await spans.FindAsync(span => span.Kind == ActivityKind.Client && span.TraceId == root.TraceId && span.GetTagItem("rpc.grpc.status_code") is (int)StatusCode.Cancelled);
    }

    private sealed class Spans : IDisposable
    {
        private readonly ConcurrentQueue<Activity> _ended = new();
        private readonly ActivityListener _listener;

        public Spans()
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name == "Backchannel",
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = _ended.Enqueue,
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public async Task<Activity> FindAsync(Func<Activity, bool> which)
        {
            await Guard.Until(() => _ended.Any(which), "the span has ended");
            return _ended.First(which);
        }

        public void Dispose() => _listener.Dispose();
    }
}
