using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Backchannel.Tests.Replicas.Kit;
using Grpc.Core;
using Xunit;

namespace Backchannel.Tests.Replicas;

/// <summary>Calls to agents that are attached to another replica.</summary>
public class FarCallTests
{
    public enum Kind
    {
        Unary,
        ServerStream,
        ClientStream,
        Duplex,
    }

    public static TheoryData<Kind> Kinds { get; } = [Kind.Unary, Kind.ServerStream, Kind.ClientStream, Kind.Duplex];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Each_replica_calls_every_agent_with_each_kind_of_call(Kind kind)
    {
        var replicas = await Replica.StartAsync(3);
        await using var all = new AllOf(replicas);
        await using var a = await AttachedAgent.StartAsync(replicas[0].Server, "a");
        await using var b = await AttachedAgent.StartAsync(replicas[1].Server, "b");

        foreach (var replica in replicas)
        {
            for (var i = 0; i < 3; i++)
            {
                Assert.Equal("a", await CallAsync(replica, "a", kind));
                Assert.Equal("b", await CallAsync(replica, "b", kind));
            }
        }

        Assert.Equal(replicas[0].Id, a.Attached.Replica);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Nobody_of_the_name_is_unavailable_and_nothing_was_dispatched(Kind kind)
    {
        var replicas = await Replica.StartAsync(2);
        await using var all = new AllOf(replicas);

        var failure = await Assert.ThrowsAsync<RpcException>(() => CallAsync(replicas[0], "x", kind));

        Assert.Equal((StatusCode.Unavailable, "no peer is called \"x\""), (failure.StatusCode, failure.Status.Detail));
        Assert.Equal("none", failure.Trailers.GetValue("backchannel-dispatch"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_call_that_waits_is_made_when_its_agent_comes_to_another_replica(Kind kind)
    {
        var replicas = await Replica.StartAsync(2);
        await using var all = new AllOf(replicas);
        var calling = CallAsync(replicas[0], "a", kind, new PeerCallOptions { WaitForReady = true });
        var waiting = replicas[0].Peers.WaitForPeerAsync("a", TestContext.Current.CancellationToken).AsTask();

        await using var agent = await AttachedAgent.StartAsync(replicas[1].Server, "a");

        Assert.Equal("a", await calling.Guarded());
        var location = await waiting.Guarded();
        Assert.Equal(("a", replicas[1].Id, false), (location.Name, location.Replica, location.IsLocal));
    }

    [Fact]
    public async Task A_deadline_and_a_cancellation_reach_the_handler()
    {
        var replicas = await Replica.StartAsync(2);
        await using var all = new AllOf(replicas);
        await using var agent = await AttachedAgent.StartAsync(replicas[1].Server, "a");
        var client = replicas[0].Peers.GetClient<Tester.TesterClient>("a");
        var deadline = DateTime.MinValue;
        agent.Client.State.Act = context =>
        {
            deadline = context.Deadline;
            return Task.CompletedTask;
        };
        var until = DateTime.UtcNow.AddHours(1);
        await client.UnaryAsync(new Request { Act = true }, deadline: until).ResponseAsync.Guarded();
        Assert.InRange(deadline, until.AddMinutes(-2), until.AddMinutes(2));

        using var cancel = new CancellationTokenSource();
        var call = client.UnaryAsync(new Request { Hang = true }, cancellationToken: cancel.Token).ResponseAsync;
        await agent.Client.State.Hanging.Guarded();
        await cancel.CancelAsync();

        await agent.Client.State.Cancelled.Guarded();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call.Guarded())).StatusCode);
    }

    [Fact]
    public async Task A_failure_of_the_agent_is_passed_on_as_it_is()
    {
        var replicas = await Replica.StartAsync(2);
        await using var all = new AllOf(replicas);
        await using var agent = await AttachedAgent.StartAsync(replicas[1].Server, "a");

        var failure = await Assert.ThrowsAsync<RpcException>(
            () => replicas[0].Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request { StatusCode = (int)StatusCode.Aborted, StatusDetail = "no" }).ResponseAsync.Guarded());

        Assert.Equal((StatusCode.Aborted, "no"), (failure.StatusCode, failure.Status.Detail));
    }

    [Fact]
    public async Task Calls_follow_an_agent_from_replica_to_replica()
    {
        var replicas = await Replica.StartAsync(3);
        await using var all = new AllOf(replicas);
        for (var i = 0; i < 6; i++)
        {
            await using (await AttachedAgent.StartAsync(replicas[i % 2].Server, "a"))
            {
                Assert.Equal("a", await CallAsync(replicas[2], "a", (Kind)(i % 4), new PeerCallOptions { WaitForReady = true }));
            }
        }
    }

    [Fact]
    public async Task A_call_whose_agent_is_lost_may_have_been_dispatched_and_is_not_made_again()
    {
        var replicas = await Replica.StartAsync(2);
        await using var all = new AllOf(replicas);
        await using var first = await AttachedAgent.StartAsync(replicas[1].Server, "a");
        await using var second = await AttachedAgent.StartAsync(replicas[1].Server, "a");
        var call = replicas[0].Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request { Hang = true });
        await second.Client.State.Hanging.Guarded();
        Assert.True(replicas[1].Peers.TryGetPeer("a", out var peer));

        peer.Session.Abort();

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.Guarded());
        Assert.Equal((StatusCode.Unavailable, "maybe"), (failure.StatusCode, failure.Trailers.GetValue("backchannel-dispatch")));
        Assert.Empty(first.Client.State.CallerCertificates);
        Assert.Equal("a", await CallAsync(replicas[0], "a", Kind.Unary)); // The other.
    }

    [Fact]
    public async Task Calls_beyond_the_limit_of_an_agent_are_refused()
    {
        var replicas = await Replica.StartAsync(2, options: server => server.MaxCallsPerPeer = 1);
        await using var all = new AllOf(replicas);
        await using var agent = await AttachedAgent.StartAsync(replicas[1].Server, "a");
        var client = replicas[0].Peers.GetClient<Tester.TesterClient>("a");
        using var call = client.UnaryAsync(new Request { Hang = true });
        await agent.Client.State.Hanging.Guarded();

        var failure = await Assert.ThrowsAsync<RpcException>(() => client.UnaryAsync(new Request()).ResponseAsync.Guarded());

        Assert.Equal((StatusCode.ResourceExhausted, "none"), (failure.StatusCode, failure.Trailers.GetValue("backchannel-dispatch")));
        Assert.Contains("\"a\"", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_agent_takes_no_more_streams_of_other_replicas_than_it_may()
    {
        var replicas = await Replica.StartAsync(3, replica: settings => settings.MaxForwardedStreamsPerPeer = 1);
        await using var all = new AllOf(replicas);
        await using var agent = await AttachedAgent.StartAsync(replicas[0].Server, "a");
        Assert.Equal("a", await CallAsync(replicas[1], "a", Kind.Unary));

        var failure = await Assert.ThrowsAsync<RpcException>(() => CallAsync(replicas[2], "a", Kind.Unary));

        Assert.Equal((StatusCode.ResourceExhausted, "none"), (failure.StatusCode, failure.Trailers.GetValue("backchannel-dispatch")));
        Assert.Contains("MaxForwardedStreamsPerPeer", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_megabyte_goes_each_way_at_once_and_arrives_whole()
    {
        var replicas = await Replica.StartAsync(2);
        await using var all = new AllOf(replicas);
        await using var agent = await AttachedAgent.StartAsync(replicas[1].Server, "a");
        var payload = new byte[1024 * 1024];
        new Random(1).NextBytes(payload);
        using var call = replicas[0].Peers.GetClient<Tester.TesterClient>("a").Duplex();
        var bytes = global::Google.Protobuf.ByteString.CopyFrom(payload);

        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < 16; i++)
            {
                await call.RequestStream.WriteAsync(new Request { Payload = bytes });
            }

            await call.RequestStream.CompleteAsync();
        });
        var count = 0;
        while (await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken).Guarded())
        {
            Assert.Equal(bytes, call.ResponseStream.Current.Payload);
            count++;
        }

        await writing.Guarded();
        Assert.Equal(16, count);
    }

    internal static async Task<string> CallAsync(Replica replica, string name, Kind kind, PeerCallOptions? options = null)
    {
        var client = replica.Peers.GetClient<Tester.TesterClient>(name, options);
        var cancellation = TestContext.Current.CancellationToken;
        switch (kind)
        {
            case Kind.Unary:
                return (await client.UnaryAsync(new Request(), cancellationToken: cancellation).ResponseAsync.Guarded()).ServedBy;
            case Kind.ClientStream:
                using (var call = client.ClientStream(cancellationToken: cancellation))
                {
                    await call.RequestStream.WriteAsync(new Request(), cancellation).Guarded();
                    await call.RequestStream.CompleteAsync().Guarded();
                    return (await call.ResponseAsync.Guarded()).ServedBy;
                }

            case Kind.ServerStream:
                using (var call = client.ServerStream(new Request { Count = 1 }, cancellationToken: cancellation))
                {
                    Assert.True(await call.ResponseStream.MoveNext(cancellation).Guarded());
                    return call.ResponseStream.Current.ServedBy;
                }

            default:
                using (var call = client.Duplex(cancellationToken: cancellation))
                {
                    await call.RequestStream.WriteAsync(new Request(), cancellation).Guarded();
                    Assert.True(await call.ResponseStream.MoveNext(cancellation).Guarded());
                    await call.RequestStream.CompleteAsync().Guarded();
                    return call.ResponseStream.Current.ServedBy;
                }
        }
    }
}
