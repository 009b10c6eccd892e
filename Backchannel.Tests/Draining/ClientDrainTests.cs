using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Backchannel.Tests.Draining;

public class ClientDrainTests
{
    [Fact]
    public async Task A_call_that_the_client_serves_when_its_channel_is_disposed_finishes_and_no_other_begins()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        var calls = await CallsBothWays.StartAsync(server, client);

        client.CloseChannel();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => AsCancellation(calls.ToServer));
        await Guard.Until(() => server.Registry.Count == 0, "the peer takes no further calls");
        await CallsBothWays.AssertUnavailableAsync(calls.CallClientAsync(), "the client has closed its connection");
        await calls.EndToClientAsync();
        await calls.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task What_fails_at_the_server_when_the_connection_is_asked_to_close_cuts_no_call()
    {
        await using var server = await TestServer.StartAsync(listen =>
        {
            listen.Use(next => async connection =>
            {
                var closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()!.ConnectionClosedRequested;
                await using var registration = closing.Register(() => throw new InvalidOperationException("middleware's own fault"));
                await next(connection);
            });
            TestServer.Cleartext(listen);
        });
        await using var client = new TestClient(server);
        var calls = await CallsBothWays.StartAsync(server, client);

        client.CloseChannel();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => AsCancellation(calls.ToServer));
        await Guard.Until(() => server.Log.Lines.Any(line => line.Event.Name == "ClosingFailed"), "the connection is asked to close");
        await calls.EndToClientAsync();
        await Guard.Until(() => (server.ConnectionCount, client.Host.ConnectionCount) == (0, 0), "the connection ends");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_call_that_does_not_end_is_aborted_when_the_drain_of_either_end_is_over(bool client)
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(options: options => Configure(options.Yamux, !client));
        await using var agent = new TestClient(server, options: options => Configure(options.Yamux, client));
        var calls = await CallsBothWays.StartAsync(server, agent);

        agent.CloseChannel();
        await Guard.Until(() => server.Registry.Count == 0, "the peer takes no further calls");
        await AdvanceAsync(time, TimeSpan.FromSeconds(30), calls.ToClient);

        await CallsBothWays.AssertUnavailableAsync(calls.ToClient);
        await Guard.Until(() => (server.ConnectionCount, agent.Host.ConnectionCount) == (0, 0), "the connection ends");

        void Configure(Yamux.YamuxOptions yamux, bool fake)
        {
            yamux.EnableKeepAlive = false;
            yamux.TimeProvider = fake ? time : TimeProvider.System;
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_host_that_stops_lets_the_calls_of_both_directions_finish(bool servedFirst)
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        var calls = await CallsBothWays.StartAsync(server, client);

        var stopping = client.Host.StopAsync(TestContext.Current.CancellationToken);
        await AssertRefusedAsync(client);
        await (servedFirst ? calls.EndToClientAsync() : calls.EndToServerAsync());
        Assert.False(stopping.IsCompleted);
        await (servedFirst ? calls.EndToServerAsync() : calls.EndToClientAsync());

        await stopping.Guarded();
        await calls.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Calls_to_a_client_that_stops_are_told_so_while_others_run()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        var calls = await CallsBothWays.StartAsync(server, client);

        var stopping = client.Host.StopAsync(TestContext.Current.CancellationToken);
        await calls.UntilTheClientRefusesAsync("the client is stopping");
        await CallsBothWays.AssertUnavailableAsync(calls.CallClientAsync(), "the client is stopping");

        await calls.EndToClientAsync();
        await calls.EndToServerAsync();
        await stopping.Guarded();
        await calls.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task What_a_call_has_begun_and_left_behind_waits_for_the_end_of_its_host()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var stopping = Task.CompletedTask;
        client.State.Act = _ =>
        {
            stopping = StopAsync(); // In the context of a call that will have ended by then.
            return Task.CompletedTask;
        };
        await client.Tester.UnaryAsync(new Request { CallBack = new Request { Act = true } }).ResponseAsync.Guarded();
        var calls = await CallsBothWays.StartAsync(server, client);

        goOn.SetResult();
        await calls.UntilTheClientRefusesAsync("the client is stopping");
        Assert.False(stopping.IsCompleted);
        await calls.EndToServerAsync();
        await calls.EndToClientAsync();

        await stopping.Guarded();

        async Task StopAsync()
        {
            await goOn.Task;
            await client.Host.StopAsync(CancellationToken.None);
        }
    }

    [Fact]
    public async Task The_token_of_StopAsync_ends_the_waiting()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        var calls = await CallsBothWays.StartAsync(server, client);
        using var over = new CancellationTokenSource();

        var stopping = client.Host.StopAsync(over.Token);
        await AssertRefusedAsync(client);
        await over.CancelAsync();

        await CallsBothWays.AssertUnavailableAsync(calls.ToServer);
        await CallsBothWays.AssertUnavailableAsync(calls.ToClient);
        await stopping.Guarded();
        await Guard.Until(() => server.ConnectionCount == 0, "the server's connection ends");
    }

    [Fact]
    public async Task A_host_that_is_disposed_while_it_stops_waits_for_no_call()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        var calls = await CallsBothWays.StartAsync(server, client);

        var stopping = client.Host.StopAsync(TestContext.Current.CancellationToken);
        await client.Host.DisposeAsync().Guarded();

        await stopping.Guarded();
        await CallsBothWays.AssertUnavailableAsync(calls.ToServer);
        await CallsBothWays.AssertUnavailableAsync(calls.ToClient);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_call_that_ends_its_own_host_does_not_wait_for_itself(bool dispose)
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
        var peer = Assert.Single(server.Registry.Peers);
        var returned = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        client.State.Act = async context =>
        {
            await (dispose ? client.Host.DisposeAsync().AsTask() : client.Host.StopAsync());
            returned.SetResult();
            if (dispose)
            {
                await client.State.HangAsync(context.CancellationToken); // Until it is aborted.
            }
        };

        var call = new Tester.TesterClient(peer.Invoker).UnaryAsync(new Request { Act = true }).ResponseAsync;

        await returned.Task.Guarded();
        if (dispose)
        {
            await CallsBothWays.AssertUnavailableAsync(call);
        }
        else
        {
            Assert.Equal("client", (await call.Guarded()).ServedBy);
        }

        await client.Host.DisposeAsync().Guarded();
        await Guard.Until(() => server.ConnectionCount == 0, "the connection ends");
    }

    private static async Task AssertRefusedAsync(TestClient client)
    {
        using var channel = client.NewChannel();
        var refusal = await Assert.ThrowsAsync<RpcException>(() => new Tester.TesterClient(channel).UnaryAsync(new Request()).ResponseAsync.Guarded());
        Assert.Contains(nameof(BackchannelHost), refusal.ToString(), StringComparison.Ordinal);
    }

    private static async Task AsCancellation(Task call)
    {
        try
        {
            await call.Guarded();
        }
        catch (RpcException failure) when (failure.StatusCode == StatusCode.Cancelled)
        {
            throw new OperationCanceledException(failure.Message, failure);
        }
    }

    // The drain begins when the other end's bytes have come, which nothing announces.
    private static Task AdvanceAsync(FakeTimeProvider time, TimeSpan by, Task until) => Guard.Until(() =>
    {
        time.Advance(by);
        return until.IsCompleted;
    }, "the drain is over");
}
