using System.Net;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace Backchannel.Tests;

public class HostStartTests
{
    [Fact]
    public async Task A_first_start_that_fails_is_tried_again_at_the_next_connect()
    {
        var starts = 0;
        var disposed = 0;
        await using var server = await TestServer.StartAsync();
        await using var host = BackchannelHost.Create(
            services => services.AddSingleton(new TesterState("client")).AddGrpc().Services
                .AddSingleton(_ => new Disposal(() => disposed++))
                .AddHostedService(provider => new FirstStartFails(provider.GetRequiredService<Disposal>(), () => ++starts == 1)),
            endpoints => endpoints.MapGrpcService<TesterService>());
        using var channel = GrpcChannel.ForAddress(
            server.Address, new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler().UseBackchannel(host), DisposeHttpClient = true });
        var client = new Tester.TesterClient(channel);

        var failure = await Assert.ThrowsAsync<global::Grpc.Core.RpcException>(() => client.UnaryAsync(new Request()).ResponseAsync.Guarded());
        Assert.Equal(global::Grpc.Core.StatusCode.Unavailable, failure.StatusCode);
        Assert.StartsWith(
            "Error starting gRPC call. HttpRequestException: The services of the BackchannelHost did not start: not this time", failure.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(1, disposed);
        Assert.Equal(0, host.ConnectionCount);

        Assert.Equal("client", (await client.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded()).ServedBy);
        Assert.Equal((2, 1), (starts, disposed));
        await Guard.Until(() => server.ConnectionCount == 1, "the first connection is closed");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_start_that_does_not_end_is_cancelled_when_the_host_stops(bool dispose)
    {
        var starting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TestServer.StartAsync();
        await using var host = BackchannelHost.Create(
            services => services.AddHostedService(_ => new Service(
                async token =>
                {
                    starting.SetResult();
                    await Task.Delay(Timeout.InfiniteTimeSpan, token);
                },
                () => { })),
            _ => { });
        using var channel = GrpcChannel.ForAddress(
            server.Address, new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler().UseBackchannel(host), DisposeHttpClient = true });
        var call = new Tester.TesterClient(channel).UnaryAsync(new Request()).ResponseAsync;
        await starting.Task.Guarded();

        await (dispose ? host.DisposeAsync().AsTask() : host.StopAsync(TestContext.Current.CancellationToken)).Guarded();

        await CallsBothWays.AssertUnavailableAsync(call, "The BackchannelHost was stopped or disposed");
    }

    [Fact]
    public async Task The_services_stop_with_the_host_and_know_no_signals()
    {
        var stopped = 0;
        IHostLifetime? lifetime = null;
        await using var server = await TestServer.StartAsync();
        await using var host = BackchannelHost.Create(
            services => services.AddHostedService(_ => new Service(_ => Task.CompletedTask, () => stopped++)),
            endpoints => lifetime = endpoints.ServiceProvider.GetRequiredService<IHostLifetime>());
        using var channel = GrpcChannel.ForAddress(
            server.Address, new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler().UseBackchannel(host), DisposeHttpClient = true });
        await new Tester.TesterClient(channel).UnaryAsync(new Request()).ResponseAsync.Guarded();
        Assert.Equal(0, stopped);

        await host.StopAsync(TestContext.Current.CancellationToken).Guarded();

        Assert.Equal(1, stopped);
        Assert.StartsWith(nameof(Backchannel), lifetime!.GetType().FullName, StringComparison.Ordinal); // Not one that ends at SIGTERM, which is the program's.
    }

    [Fact]
    public async Task A_start_that_takes_longer_than_a_connection_may_fails_that_and_closes_it()
    {
        var starting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = BackchannelHost.Create(
            services => services.AddHostedService(_ => new Service(
                token =>
                {
                    starting.SetResult();
                    return Task.Delay(Timeout.InfiniteTimeSpan, token);
                },
                () => { })),
            _ => { });
        using var connectTimeout = new CancellationTokenSource();
        var transport = new MemoryStream();
        var key = new ConnectionKey("http", "localhost", 80, null, null, null, null, null, null, null);
        var connecting = host.ConnectAsync(transport, key, Timeout.InfiniteTimeSpan, connectTimeout.Token).AsTask();
        await starting.Task.Guarded();

        await connectTimeout.CancelAsync();

        var failure = await Assert.ThrowsAsync<IOException>(() => connecting.Guarded());
        Assert.Equal("The backchannel was not established in time (SocketsHttpHandler.ConnectTimeout).", failure.Message);
        Assert.False(transport.CanRead);
    }

    [Fact]
    public async Task A_connection_that_ends_before_anything_is_sent_is_one_that_the_server_closed()
    {
        await using var host = BackchannelHost.Create(_ => { }, _ => { });
        var key = new ConnectionKey("https", "localhost", 443, null, null, null, null, null, null, null);

        var failure = await Assert.ThrowsAsync<IOException>(() => host.ConnectAsync(new BrokenStream(), key, Timeout.InfiniteTimeSpan, CancellationToken.None).AsTask().Guarded());

        Assert.StartsWith("The server took the connection and closed it without an answer. One that wants a certificate", failure.Message, StringComparison.Ordinal);
        Assert.EndsWith("(broken)", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_endpoint_that_the_services_add_keeps_its_own_transport()
    {
        IServer? inner = null;
        await using var server = await TestServer.StartAsync();
        await using var host = BackchannelHost.Create(
            services => services.Configure<KestrelServerOptions>(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1)),
            endpoints =>
            {
                inner = endpoints.ServiceProvider.GetRequiredService<IServer>();
                endpoints.MapGet("/", () => "over TCP");
            });
        using var channel = GrpcChannel.ForAddress(
            server.Address, new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler().UseBackchannel(host), DisposeHttpClient = true });
        await new Tester.TesterClient(channel).UnaryAsync(new Request()).ResponseAsync.Guarded(); // The host starts.
        using var http = new HttpClient();
        var address = inner!.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single(address => address.StartsWith("http://127.", StringComparison.Ordinal));

        Assert.Equal("over TCP", await http.GetStringAsync(new Uri(address), TestContext.Current.CancellationToken).Guarded());
    }

    [Theory]
    [InlineData(null, 5)]
    [InlineData(7, 7)]
    public async Task A_stop_has_little_patience_left_for_what_goes_on_when_its_call_is_aborted(int? seconds, int expected)
    {
        var limit = TimeSpan.Zero;
        await using var host = BackchannelHost.Create(
            services =>
            {
                if (seconds is { } own)
                {
                    services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(own));
                }
            },
            endpoints => limit = endpoints.ServiceProvider.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout);

        Assert.Equal(TimeSpan.FromSeconds(expected), limit);
    }

    [Fact]
    public void A_map_of_endpoints_that_throws_leaves_nothing_behind()
    {
        var disposed = 0;

        var failure = Assert.Throws<FormatException>(() => BackchannelHost.Create(
            services => services.AddSingleton(_ => new Disposal(() => disposed++)),
            endpoints =>
            {
                _ = endpoints.ServiceProvider.GetRequiredService<Disposal>();
                throw new FormatException("mine");
            }));

        Assert.Equal(("mine", 1), (failure.Message, disposed));
    }

    [Fact]
    public async Task What_a_service_throws_is_logged_at_the_client_where_its_program_logs()
    {
        var log = new TestLog();
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(log));
        await using var server = await TestServer.StartAsync();
        var state = new TesterState("client") { Act = _ => throw new FormatException("mine") };
        await using var host = BackchannelHost.Create(
            services => services.AddSingleton(state).AddGrpc(), endpoints => endpoints.MapGrpcService<TesterService>(), options => options.LoggerFactory = loggers);
        using var channel = GrpcChannel.ForAddress(
            server.Address, new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler().UseBackchannel(host), DisposeHttpClient = true });

        var failure = await Assert.ThrowsAsync<global::Grpc.Core.RpcException>(
            () => new Tester.TesterClient(channel).UnaryAsync(new Request { CallBack = new Request { Act = true } }).ResponseAsync.Guarded());

        Assert.Equal(global::Grpc.Core.StatusCode.Unknown, failure.StatusCode);
        Assert.Contains(log.Lines, line => line.Level == LogLevel.Error && line.Message.Contains("mine", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_context_of_the_first_call_does_not_flow_into_the_services()
    {
        var local = new AsyncLocal<string?>();
        var seen = new List<string?>();
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        client.State.Act = _ =>
        {
            seen.Add(local.Value);
            return Task.CompletedTask;
        };

        local.Value = "the caller's own";
        await client.Tester.UnaryAsync(new Request { CallBack = new Request { Act = true } }).ResponseAsync.Guarded();
        await client.Tester.UnaryAsync(new Request { CallBack = new Request { Act = true } }).ResponseAsync.Guarded();

        Assert.Equal([null, null], seen);
    }

    private sealed class Disposal(Action onDisposed) : IDisposable
    {
        public void Dispose() => onDisposed();
    }

    private sealed class Service(Func<CancellationToken, Task> start, Action stop) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => start(cancellationToken);

        public Task StopAsync(CancellationToken cancellationToken)
        {
            stop();
            return Task.CompletedTask;
        }
    }

    private sealed class FirstStartFails(Disposal disposal, Func<bool> isFirst) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
            => isFirst() ? Task.FromException(new FormatException($"not this time, {disposal}")) : Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class BrokenStream : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => throw new IOException("broken");
    }
}
