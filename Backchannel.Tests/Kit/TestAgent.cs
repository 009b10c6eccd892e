using Backchannel.Tests.Grpc;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Backchannel.Tests.Kit;

/// <summary>A worker that is an agent, and serves the tester service.</summary>
internal sealed class TestAgent : IAsyncDisposable
{
    private readonly IHost _host;

    private TestAgent(IHost host, TesterState state, TestLog log)
    {
        _host = host;
        State = state;
        Log = log;
    }

    public TesterState State { get; }

    public TestLog Log { get; }

    public IServiceProvider Services => _host.Services;

    public IBackchannelConnection Connection => Services.GetRequiredService<IBackchannelConnection>();

    /// <summary>A stub of the server's service.</summary>
    public Tester.TesterClient Tester => Services.GetRequiredService<Tester.TesterClient>();

    /// <summary>Starts it, and does not wait until it is attached.</summary>
    public static async Task<TestAgent> StartAsync(
        string address, string name = "a", Action<BackchannelAgentOptions>? options = null, TimeProvider? time = null, Action<IBackchannelAgentBuilder>? build = null)
    {
        var log = new TestLog();
        var state = new TesterState(name);
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddProvider(log).SetMinimumLevel(LogLevel.Debug);
        builder.Services.AddSingleton(state);
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.Services.AddGrpc();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = Guard.BeyondLimit);
        var agent = builder.Services
            .AddBackchannelAgent(address, agent =>
            {
                agent.Name = name;
                agent.DrainTimeout = Guard.BeyondLimit;
                options?.Invoke(agent);
            })
            .MapGrpcService<TesterService>()
            .AddGrpcClient<Tester.TesterClient>();
        build?.Invoke(agent);
        var host = builder.Build();
        try
        {
            await host.StartAsync().Guarded();
        }
        catch
        {
            host.Dispose();
            throw;
        }

        return new TestAgent(host, state, log);
    }

    /// <summary>Starts it, and waits until it is attached.</summary>
    public static async Task<TestAgent> AttachAsync(
        TestServer server, string name = "a", Action<BackchannelAgentOptions>? options = null, TimeProvider? time = null, Action<IBackchannelAgentBuilder>? build = null)
    {
        var agent = await StartAsync(server.Address, name, options, time, build);
        await agent.Connection.WaitConnectedAsync().Guarded();
        return agent;
    }

    /// <summary>Stops in good order, as the host of a service does.</summary>
    public Task StopAsync(CancellationToken cancellationToken = default) => _host.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync(new CancellationToken(canceled: true)).Guarded();
        _host.Dispose();
    }
}
