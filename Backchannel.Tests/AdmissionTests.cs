using System.Net;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Backchannel.Tests;

/// <summary>What may become a peer, and what may not.</summary>
public class AdmissionTests
{
    [Fact]
    public async Task A_connection_that_the_hook_refuses_is_no_peer_and_one_line_in_the_log()
    {
        var asked = new List<(EndPoint?, EndPoint?, string?)>();
        await using var server = await TestServer.StartAsync(options: options => options.OnConnecting = context =>
        {
            asked.Add((context.RemoteEndPoint, context.LocalEndPoint, context.ClientCertificate?.Subject));
            Assert.NotNull(context.Features.Get<IConnectionSocketFeature>());
            context.Refuse("not one of ours");
            context.Refuse("a second reason is not the first");
            return default;
        });
        await using var client = new TestClient(server);
        await using var plain = new TestClient(server, plain: true);

        await CallsBothWays.AssertUnavailableAsync(client.Tester.UnaryAsync(new Request()).ResponseAsync, "a server with a backchannel that stops, or refuses a connection");
        await Guard.Until(() => (server.ConnectionCount, client.Host.ConnectionCount) == (0, 0), "the connection is closed");
        Assert.Equal("server", (await plain.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded()).ServedBy);

        Assert.Equal(0, server.Registry.Count);
        Assert.Empty(server.State.Peers);
        Assert.All(asked, seen => Assert.True(seen is (IPEndPoint, IPEndPoint, null)));
        var lines = server.Log.Lines.Where(line => line.Category == "Backchannel.Server").ToList();
        Assert.Equal(asked.Count, lines.Count);
        Assert.All(lines, line =>
        {
            Assert.Equal((LogLevel.Warning, "ConnectionRefused"), (line.Level, line.Event.Name));
            Assert.Contains("was refused: not one of ours", line.Message, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task A_hook_lets_in_by_certificate()
    {
        using var certificates = TestCertificates.Create();
        using var others = TestCertificates.Create();
        await using var server = await TestServer.StartAsync(
            certificates.MutualTls(ClientCertificateMode.AllowCertificate, ofAnybody: true),
            options => options.OnConnecting = context =>
            {
                if (context.ClientCertificate?.Thumbprint != certificates.Client.Thumbprint)
                {
                    context.Refuse("unknown certificate");
                }

                return default;
            });
        await using var known = NewClient(certificates);
        await using var unknown = NewClient(others);
        await using var nobody = new TestClient(server, configure: certificates.Trust);

        Assert.Equal("client", (await known.Tester.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded()).ServedBy);
        await CallsBothWays.AssertUnavailableAsync(unknown.Tester.UnaryAsync(new Request()).ResponseAsync);
        await CallsBothWays.AssertUnavailableAsync(nobody.Tester.UnaryAsync(new Request()).ResponseAsync);

        Assert.Single(server.Registry.Peers);

        TestClient NewClient(TestCertificates own) => new(server, configure: handler =>
        {
            certificates.Trust(handler);
            handler.SslOptions.ClientCertificates = [own.Client];
        });
    }

    [Fact]
    public async Task A_hook_that_throws_lets_nobody_in_and_is_logged()
    {
        await using var server = await TestServer.StartAsync(options: options => options.OnConnecting = _ => throw new FormatException("mine"));
        await using var client = new TestClient(server);

        await CallsBothWays.AssertUnavailableAsync(client.Tester.UnaryAsync(new Request()).ResponseAsync);

        Assert.Equal(0, server.Registry.Count);
        Assert.Contains(server.Log.Lines, line => line.Event.Name == "OnConnectingFailed" && line.Message.Contains("mine", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_hook_that_does_not_return_is_given_up_at_the_handshakes_timeout()
    {
        var time = new FakeTimeProvider();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TestServer.StartAsync(options: options =>
        {
            options.Yamux.TimeProvider = time;
            options.OnConnecting = _ =>
            {
                asked.TrySetResult();
                return new ValueTask(Task.Delay(Timeout.InfiniteTimeSpan, TestContext.Current.CancellationToken)); // Deaf to its token.
            };
        });
        await using var client = new TestClient(server, options: options => options.Yamux.EnableKeepAlive = false);
        var call = client.Tester.UnaryAsync(new Request()).ResponseAsync;
        await asked.Task.Guarded();

        time.Advance(TimeSpan.FromSeconds(120));

        await CallsBothWays.AssertUnavailableAsync(call);
        await Guard.Until(() => server.ConnectionCount == 0, "the connection is closed");
        Assert.Equal(0, server.Registry.Count);
    }

    [Fact]
    public async Task A_hook_that_takes_its_time_lets_one_peer_in_however_many_channels_wait_for_it()
    {
        var time = new FakeTimeProvider();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var count = 0;
        await using var server = await TestServer.StartAsync(options: options => options.OnConnecting = _ =>
        {
            Interlocked.Increment(ref count);
            asked.TrySetResult();
            return new ValueTask(answer.Task);
        });
        await using var client = new TestClient(server, options: options =>
        {
            options.Yamux.TimeProvider = time;
            options.Yamux.EnableKeepAlive = false;
        });
        var channels = Enumerable.Range(0, 4).Select(_ => client.NewChannel()).ToList();
        var calls = channels.Select(channel => new Tester.TesterClient(channel).UnaryAsync(new Request()).ResponseAsync).ToList();
        await asked.Task.Guarded();
        await Guard.Until(() => server.ConnectionCount == channels.Count, "all of them wait");
        for (var i = 0; i < 20; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1)); // Less than the time for the first answer, together.
        }

        answer.SetResult();
        await Task.WhenAll(calls).Guarded();

        Assert.Equal(1, count);
        Assert.Single(server.State.Peers.Distinct());
        channels.ForEach(channel => channel.Dispose());
    }

    [Fact]
    public async Task A_client_that_goes_away_cancels_the_hook_and_the_log_is_quiet()
    {
        var asked = new TaskCompletionSource<CancellationToken>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TestServer.StartAsync(options: options => options.OnConnecting = async context =>
        {
            asked.TrySetResult(context.CancellationToken);
            await Task.Delay(Timeout.InfiniteTimeSpan, context.CancellationToken);
        });
        var client = new RawClient(server);
        var token = await asked.Task.Guarded();

        client.Session.Abort();

        await Guard.Until(() => token.IsCancellationRequested && server.ConnectionCount == 0, "the hook is told");
        Assert.DoesNotContain(server.Log.Lines, line => line.Category == "Backchannel.Server" && line.Level > LogLevel.Debug);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_server_that_stops_cancels_the_hook_and_the_log_is_quiet(bool listens)
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TestServer.StartAsync(options: options => options.OnConnecting = async context =>
        {
            asked.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, listens ? context.CancellationToken : TestContext.Current.CancellationToken);
        });
        await using var client = new RawClient(server);
        await asked.Task.Guarded();

        await server.StopAsync().Guarded();

        Assert.Equal(0, server.ConnectionCount);
        Assert.DoesNotContain(server.Log.Lines, line => line.Category == "Backchannel.Server" && line.Level > LogLevel.Debug);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_hook_throws_after_it_was_given_up_is_logged(bool byTimeout)
    {
        var time = new FakeTimeProvider();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var late = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TestServer.StartAsync(options: options =>
        {
            options.Yamux.TimeProvider = time;
            options.OnConnecting = _ =>
            {
                asked.TrySetResult();
                return new ValueTask(late.Task);
            };
        });
        var client = new RawClient(server);
        await asked.Task.Guarded();

        if (byTimeout)
        {
            time.Advance(TimeSpan.FromSeconds(120));
        }
        else
        {
            client.Session.Abort();
        }

        await Guard.Until(() => server.ConnectionCount == 0, "the connection is closed");
        late.SetException(new FormatException("too late"));

        await Guard.Until(() => server.Log.Lines.Any(line => line.Event.Name == "OnConnectingFailed" && line.Message.Contains("too late", StringComparison.Ordinal)), "it is logged");
        await client.DisposeAsync();
    }
}
