using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client.Configuration;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Backchannel.Tests.Peers;

/// <summary>Calls to whoever has the name.</summary>
public class CallByNameTests
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
    public async Task A_client_that_was_made_before_its_agent_came_calls_it_on_each_of_its_connections(Kind kind)
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        var client = server.Peers.GetClient<Tester.TesterClient>("a");

        for (var i = 0; i < 3; i++)
        {
            await using (await AttachedAgent.StartAsync(server, "a"))
            {
                Assert.Equal("a", (await CallAsync(client, kind)).ServedBy);
            }

            await Guard.Until(() => !server.Peers.TryGetPeer("a", out _), "it has gone");
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Nobody_of_the_name_is_unavailable_and_nothing_was_dispatched(Kind kind)
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);

        var failure = await Assert.ThrowsAsync<RpcException>(() => CallAsync(server.Peers.GetClient<Tester.TesterClient>("x"), kind));

        Assert.Equal((StatusCode.Unavailable, "no peer is called \"x\""), (failure.StatusCode, failure.Status.Detail));
        Assert.Equal("none", failure.Trailers.GetValue("backchannel-dispatch"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_call_that_waits_for_its_peer_is_made_when_it_comes(Kind kind)
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        var calling = CallAsync(server.Peers.GetClient<Tester.TesterClient>("a", new PeerCallOptions { WaitForReady = true }), kind);
        await using var other = await AttachedAgent.StartAsync(server, "b");
        Assert.False(calling.IsCompleted);

        await using var agent = await AttachedAgent.StartAsync(server, "a");

        Assert.Equal("a", (await calling.Guarded()).ServedBy);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_call_that_waits_for_its_peer_ends_with_its_deadline(Kind kind)
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        var client = server.Peers.GetClient<Tester.TesterClient>("a", new PeerCallOptions { WaitForReady = true, Timeout = TimeSpan.FromMilliseconds(1) });

        var failure = await Assert.ThrowsAsync<RpcException>(() => CallAsync(client, kind));

        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
        Assert.Contains("\"a\"", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_call_that_waits_for_its_peer_can_be_cancelled(Kind kind)
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        using var cancel = new CancellationTokenSource();
        var calling = CallAsync(server.Peers.GetClient<Tester.TesterClient>("a"), kind, new CallOptions(cancellationToken: cancel.Token).WithWaitForReady());

        await cancel.CancelAsync();

        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => calling.Guarded())).StatusCode);
    }

    [Fact]
    public async Task A_call_that_waits_and_is_disposed_never_reaches_the_peer_that_comes()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        var call = server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request(), new CallOptions().WithWaitForReady());
        call.Dispose();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.Guarded())).StatusCode);
        Assert.Equal(StatusCode.Cancelled, call.GetStatus().StatusCode);

        await using var agent = await AttachedAgent.StartAsync(server, "a");
        await server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request()).ResponseAsync.Guarded();
        Assert.Single(agent.Client.State.CallerCertificates);
    }

    [Fact]
    public async Task A_call_whose_peer_is_lost_may_have_been_dispatched()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await AttachedAgent.StartAsync(server, "a");
        await using var second = await AttachedAgent.StartAsync(server, "a");
        var call = server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request { Hang = true });
        await second.Client.State.Hanging.Guarded();
        Assert.True(server.Peers.TryGetPeer("a", out var peer));

        peer.Session.Abort();

        // It is not made again, though there is another.
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.Guarded());
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.Equal("maybe", failure.Trailers.GetValue("backchannel-dispatch"));
        Assert.Equal("maybe", call.GetTrailers().GetValue("backchannel-dispatch"));
        Assert.Empty(agent.Client.State.CallerCertificates);
    }

    /// <summary>As a handler fails that lets the failure of a call of its own escape: gRPC sends the trailers of that along.</summary>
    [Fact]
    public async Task What_a_handler_passes_on_of_another_call_says_nothing_of_its_own()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await AttachedAgent.StartAsync(server, "a", "first");
        await using var second = await AttachedAgent.StartAsync(server, "a", "second");
        var runs = 0;
        agent.Client.State.Act = second.Client.State.Act = _ =>
        {
            Interlocked.Increment(ref runs);
            throw new RpcException(new Status(StatusCode.Unavailable, "nobody there"), new Metadata { { "backchannel-dispatch", "none" }, { "other", "kept" } });
        };

        var call = server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request { Act = true });

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.Guarded());
        Assert.Equal(["maybe", "kept"], new[] { "backchannel-dispatch", "other" }.Select(failure.Trailers.GetValue));
        Assert.Equal("maybe", call.GetTrailers().GetValue("backchannel-dispatch"));
        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task A_call_that_gRPC_has_tried_before_may_have_been_dispatched_though_the_last_try_was_not()
    {
        var policy = new RetryPolicy
        {
            MaxAttempts = 3,
            InitialBackoff = TimeSpan.FromMilliseconds(1),
            MaxBackoff = TimeSpan.FromMilliseconds(1),
            BackoffMultiplier = 1,
            RetryableStatusCodes = { StatusCode.Unavailable },
        };
        await using var server = await TestServer.StartAsync(options: options =>
        {
            AttachTests.Trusting(options);
            options.ConfigureChannel = channel => channel.ServiceConfig = new ServiceConfig { MethodConfigs = { new MethodConfig { Names = { MethodName.Default }, RetryPolicy = policy } } };
        });
        await using var agent = await AttachedAgent.StartAsync(server, "a");
        Assert.True(server.Peers.TryGetPeer("a", out var peer));
        agent.Client.State.Act = _ =>
        {
            peer.Session.Abort();
            return Task.Delay(Timeout.Infinite, peer.Disconnected);
        };

        var call = new Tester.TesterClient(peer.Invoker).UnaryAsync(new Request { Act = true });

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.Guarded());
        Assert.Equal((StatusCode.Unavailable, "maybe"), (failure.StatusCode, failure.Trailers.GetValue("backchannel-dispatch")));
    }

    [Fact]
    public async Task A_peer_that_takes_no_further_calls_on_one_connection_is_called_on_another()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await AttachedAgent.StartAsync(server, "a");
        agent.Client.State.Act = context =>
        {
            context.GetHttpContext().Features.GetRequiredFeature<IConnectionLifetimeNotificationFeature>().RequestClose(); // As when it was idle, or is old.
            return Task.CompletedTask;
        };
        var client = server.Peers.GetClient<Tester.TesterClient>("a");

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal("a", (await client.UnaryAsync(new Request { Act = true }).ResponseAsync.Guarded()).ServedBy);
        }
    }

    [Fact]
    public async Task A_call_by_the_invoker_of_a_peer_that_has_gone_was_not_dispatched()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await AttachedAgent.StartAsync(server, "a");
        Assert.True(server.Peers.TryGetPeer("a", out var peer));
        await peer.DisconnectAsync("away", cancellationToken: TestContext.Current.CancellationToken).Guarded();

        var failure = await Assert.ThrowsAsync<RpcException>(() => new Tester.TesterClient(peer.Invoker).UnaryAsync(new Request()).ResponseAsync.Guarded());

        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.Equal("none", failure.Trailers.GetValue("backchannel-dispatch"));
    }

    [Fact]
    public async Task A_failure_of_the_agent_is_passed_on_as_it_is()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await AttachedAgent.StartAsync(server, "a");

        var failure = await Assert.ThrowsAsync<RpcException>(
            () => server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request { StatusCode = (int)StatusCode.Aborted, StatusDetail = "no" }).ResponseAsync.Guarded());

        Assert.Equal((StatusCode.Aborted, "no"), (failure.StatusCode, failure.Status.Detail));
        Assert.Null(failure.Trailers.GetValue("backchannel-dispatch"));
    }

    [Fact]
    public async Task A_call_that_is_made_in_a_handler_ends_with_the_call_that_it_is_made_for()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await AttachedAgent.StartAsync(server, "a");
        await using var caller = new TestClient(server, "caller");
        server.State.Act = async _ => await server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request { Hang = true });
        using var cancel = new CancellationTokenSource();
        var call = caller.Tester.UnaryAsync(new Request { Act = true }, cancellationToken: cancel.Token).ResponseAsync;
        await agent.Client.State.Hanging.Guarded();

        await cancel.CancelAsync();

        await agent.Client.State.Cancelled.Guarded();
        await Assert.ThrowsAsync<RpcException>(() => call.Guarded());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_call_that_is_made_in_a_handler_has_the_deadline_of_the_call_that_it_is_made_for_unless_it_is_not_to(bool propagate)
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await AttachedAgent.StartAsync(server, "a");
        await using var caller = new TestClient(server, "caller");
        var deadline = DateTime.MinValue;
        agent.Client.State.Act = context =>
        {
            deadline = context.Deadline;
            return Task.CompletedTask;
        };
        server.State.Act = async _ => await server.Peers.GetClient<Tester.TesterClient>("a", new PeerCallOptions { PropagateCallContext = propagate }).UnaryAsync(new Request { Act = true });

        var until = DateTime.UtcNow.AddHours(1);
        await caller.Tester.UnaryAsync(new Request { Act = true }, deadline: until).ResponseAsync.Guarded();

        if (propagate)
        {
            Assert.InRange(deadline, until.AddMinutes(-2), until.AddMinutes(2));
        }
        else
        {
            Assert.Equal(DateTime.MaxValue, deadline);
        }
    }

    [Fact]
    public async Task Interceptors_come_from_the_container_and_know_who_is_called()
    {
        var seen = new Seen();
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting, build: builder =>
        {
            builder.Services.AddSingleton(seen);
            builder.AddPeerInterceptor<SeeingInterceptor>().AddPeerInterceptor<SeeingInterceptor>();
        });
        await using var agent = await AttachedAgent.StartAsync(server, "a");
        var headers = new Metadata { { "key", "value" } };

        await server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request(), headers).ResponseAsync.Guarded();

        Assert.Equal(["a value", "a value"], seen.Calls);
        Assert.Single(headers);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Calls_beyond_the_limit_of_a_peer_are_refused_and_the_others_give_their_places_back(Kind kind)
    {
        await using var server = await TestServer.StartAsync(options: options =>
        {
            AttachTests.Trusting(options);
            options.MaxCallsPerPeer = 2;
        });
        await using var agent = await AttachedAgent.StartAsync(server, "a");
        var client = server.Peers.GetClient<Tester.TesterClient>("a");
        using var first = client.Duplex();
        await first.RequestStream.WriteAsync(new Request());
        Assert.True(await first.ResponseStream.MoveNext(TestContext.Current.CancellationToken).Guarded());
        var second = client.UnaryAsync(new Request { Hang = true }).ResponseAsync;
        await agent.Client.State.Hanging.Guarded();

        var failure = await Assert.ThrowsAsync<RpcException>(() => CallAsync(client, kind));
        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
        Assert.Contains("2 calls", failure.Status.Detail, StringComparison.Ordinal);
        Assert.Equal("none", failure.Trailers.GetValue("backchannel-dispatch"));

        agent.Client.State.LetGo();
        await second.Guarded();
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal("a", (await CallAsync(client, kind)).ServedBy);
        }

        first.Dispose();
        Assert.True(server.Peers.TryGetPeer("a", out var peer));
        await Guard.Until(() => peer.Calls.Count == 0, "all have given their places back");
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("ä")]
    public async Task What_cannot_be_a_name_is_an_error_of_the_caller(string name)
    {
        await using var server = await TestServer.StartAsync();

        Assert.Throws<ArgumentException>(() => server.Peers.GetInvoker(name));
        Assert.Throws<ArgumentException>(() => server.Peers.GetClient<Tester.TesterClient>(name));
        await Assert.ThrowsAsync<ArgumentException>(() => server.Peers.WaitForPeerAsync(name, TestContext.Current.CancellationToken).AsTask());
        Assert.False(server.Peers.TryGetPeer(name, out _));
    }

    [Fact]
    public async Task Whoever_waits_for_a_peer_has_it_when_it_comes()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        var waiting = Enumerable.Range(0, 100).Select(_ => server.Peers.WaitForPeerAsync("a", TestContext.Current.CancellationToken).AsTask()).ToArray();
        using var cancel = new CancellationTokenSource();
        var givenUp = server.Peers.WaitForPeerAsync("a", cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => givenUp.Guarded());

        await using var agent = await AttachedAgent.StartAsync(server, "a");

        Assert.All(await Task.WhenAll(waiting).Guarded(), peer => Assert.Equal("a", peer.Name));
    }

    private static async Task<Reply> CallAsync(Tester.TesterClient client, Kind kind, CallOptions options = default)
    {
        var token = TestContext.Current.CancellationToken;
        switch (kind)
        {
            case Kind.Unary:
                return await client.UnaryAsync(new Request(), options).ResponseAsync.Guarded();
            case Kind.ServerStream:
                {
                    using var call = client.ServerStream(new Request { Count = 1 }, options);
                    Assert.True(await call.ResponseStream.MoveNext(token).Guarded());
                    var reply = call.ResponseStream.Current;
                    Assert.False(await call.ResponseStream.MoveNext(token).Guarded());
                    return reply;
                }

            case Kind.ClientStream:
                {
                    using var call = client.ClientStream(options);
                    try
                    {
                        await call.RequestStream.WriteAsync(new Request(), token);
                        await call.RequestStream.CompleteAsync();
                    }
                    catch (Exception told) when (told is RpcException or InvalidOperationException)
                    {
                        // The response says it better.
                    }

                    return await call.ResponseAsync.Guarded();
                }

            default:
                {
                    using var call = client.Duplex(options);
                    try
                    {
                        await call.RequestStream.WriteAsync(new Request(), token);
                        await call.RequestStream.CompleteAsync();
                    }
                    catch (Exception told) when (told is RpcException or InvalidOperationException)
                    {
                        // The answers say it better.
                    }

                    Assert.True(await call.ResponseStream.MoveNext(token).Guarded());
                    return call.ResponseStream.Current;
                }
        }
    }

    private sealed class Seen
    {
        public List<string> Calls { get; } = [];
    }

    private sealed class SeeingInterceptor(Seen seen) : Interceptor
    {
        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            Assert.True(context.TryGetCalledPeer(out var peer));
            seen.Calls.Add($"{peer.Name} {context.Options.Headers?.GetValue("key")}");
            var replaced = new Metadata { { "key", context.Options.Headers!.GetValue("key")! } };
            return continuation(request, new ClientInterceptorContext<TRequest, TResponse>(context.Method, context.Host, context.Options.WithHeaders(replaced)));
        }
    }
}
