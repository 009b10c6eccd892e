using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
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
        Assert.Contains("not this time", failure.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, disposed);
        Assert.Equal(0, host.ConnectionCount);

        Assert.Equal("client", (await client.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded()).ServedBy);
        Assert.Equal((2, 1), (starts, disposed));
        await Guard.Until(() => server.ConnectionCount == 1, "the first connection is closed");
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

    private sealed class FirstStartFails(Disposal disposal, Func<bool> isFirst) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
            => isFirst() ? Task.FromException(new FormatException($"not this time, {disposal}")) : Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
