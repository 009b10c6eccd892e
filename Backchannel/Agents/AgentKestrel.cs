using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Backchannel;

/// <summary>
/// A Kestrel of the agent's own, in the container of the program that the agent is a part of: that may have another, with ports and an application of its own, of which this knows
/// nothing.
/// </summary>
internal sealed class AgentKestrel : IInnerApplication
{
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(5); // The calls have had their time by then.

    private readonly KestrelServer _server;
    private readonly AgentApplication _application;
    private readonly TimeProvider _timeProvider;

    /// <param name="services">The container.</param>
    /// <param name="listener">Where what servers open comes from.</param>
    /// <param name="options">The settings of the host.</param>
    /// <param name="calls">The calls that are served.</param>
    /// <param name="configure">Adds what serves them.</param>
    public AgentKestrel(IServiceProvider services, StreamListener listener, BackchannelHostOptions options, ServedCalls calls, Action<IApplicationBuilder> configure)
    {
        Loggers = services.GetRequiredService<ILoggerFactory>();
        Meters = services.GetRequiredService<IMeterFactory>();
        _timeProvider = options.Yamux.TimeProvider;
        var kestrel = new KestrelServerOptions { ApplicationServices = services };
        InnerKestrel.Configure(kestrel, options, calls);
        _server = new KestrelServer(Options.Create(kestrel), listener, Loggers);

        var builder = new ApplicationBuilder(services);
        builder.Use(calls.OnRequestAsync);
        configure(builder);
        _application = new AgentApplication(builder.Build(), services.GetService<IHttpContextFactory>() ?? new DefaultHttpContextFactory(services));
    }

    public ILoggerFactory Loggers { get; }

    public IMeterFactory Meters { get; }

    public Task StartAsync(CancellationToken cancellationToken) => _server.StartAsync(_application, cancellationToken);

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(ShutdownTimeout, _timeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        await _server.StopAsync(either.Token).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync()
    {
        _server.Dispose();
        return default;
    }
}
