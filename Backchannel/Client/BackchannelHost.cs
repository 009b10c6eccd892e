using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Yamux;

namespace Backchannel;

/// <summary>
/// Serves the client's own gRPC services to the servers that the client connects to, on whatever those open: any number of
/// connections, and each reconnect. It listens on no port.
/// </summary>
/// <remarks>
/// Connect it to a channel with <see cref="BackchannelSocketsHttpHandlerExtensions.UseBackchannel"/>. One host serves any
/// number of channels. The services start with the first connection.
/// </remarks>
public sealed class BackchannelHost : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly WebApplication _app;
    private readonly StreamListener _listener;
    private readonly YamuxOptions _yamux;
    private readonly ILogger _logger;
    private readonly ILogger _sessionLogger;
    private readonly ConcurrentDictionary<HostedSession, Task> _sessions = new();
    private long _lastSession;
    private Task? _starting;
    private Task? _disposing;

    private BackchannelHost(WebApplication app, StreamListener listener, YamuxOptions yamux)
    {
        _app = app;
        _listener = listener;
        _yamux = yamux;
        var loggers = app.Services.GetRequiredService<ILoggerFactory>();
        _logger = loggers.CreateLogger("Backchannel.Client");
        _sessionLogger = loggers.CreateLogger("Yamux");
    }

    /// <summary>How many connections are being served.</summary>
    public int ConnectionCount => _sessions.Count;

    /// <summary>Makes a host.</summary>
    /// <param name="services">Registers the services: <c>services => services.AddGrpc()</c>. Logging too, if it is wanted: there is none of its own.</param>
    /// <param name="endpoints">Maps the services: <c>endpoints => endpoints.MapGrpcService&lt;Votes&gt;()</c>.</param>
    /// <param name="configure">Changes the settings; null leaves the defaults.</param>
    /// <exception cref="ArgumentException">An option is null or out of range.</exception>
    public static BackchannelHost Create(
        Action<IServiceCollection> services, Action<IEndpointRouteBuilder> endpoints, Action<BackchannelHostOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(endpoints);
        var options = new BackchannelHostOptions();
        configure?.Invoke(options);
        options.Validate();

        var listener = new StreamListener();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;

            // The server decides how long an idle backchannel stays. Not InfiniteTimeSpan: Kestrel adds it to the time, which
            // overflows, and closes an idle connection at its next heartbeat, within a second.
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromDays(3650);
            options.ConfigureLimits?.Invoke(kestrel.Limits);
            kestrel.Listen(BackchannelEndPoint.Instance, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                options.Streams?.Invoke(listen);
            });
        });
        builder.Services.AddRouting();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddSingleton<IConnectionListenerFactory>(listener);
        services(builder.Services);

        var app = builder.Build();
        endpoints(app);
        return new BackchannelHost(app, listener, options.Yamux);
    }

    /// <summary>Closes all connections and stops the services. The second call, too, returns or throws what the first does.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            return new ValueTask(_disposing ??= DisposeOnceAsync());
        }
    }

    /// <summary>Makes a multiplexed connection of <paramref name="transport"/>, which is the host's from now on.</summary>
    /// <returns>The client's own connection within it. Disposing it closes all.</returns>
    internal async ValueTask<Stream> ConnectAsync(Stream transport, CancellationToken cancellationToken)
    {
        YamuxSession? session = null;
        try
        {
            await StartAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            await transport.WriteAsync(BackchannelMagic.Bytes.ToArray(), cancellationToken).ConfigureAwait(false);
            await transport.FlushAsync(cancellationToken).ConfigureAwait(false);
            session = YamuxSession.Create(transport, YamuxRole.Client, _yamux, _sessionLogger);
            var stream = await session.OpenStreamAsync(cancellationToken).ConfigureAwait(false);
            var hosted = new HostedSession(session, $"backchannel-{Interlocked.Increment(ref _lastSession)}", _listener, _logger);
            Run(hosted);
            return new SessionStream(stream, hosted.Close);
        }
        catch
        {
            session?.Abort();
            await transport.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private Task StartAsync()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposing is not null, this);

            // Without the context of the call that happens to be first.
            return _starting ??= RunWithoutContext(() => _app.StartAsync());
        }
    }

    private void Run(HostedSession session)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposing is not null, this);
            var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _sessions[session] = RunWithoutContext(async () =>
            {
                await started.Task.ConfigureAwait(false);
                await RunAsync(session).ConfigureAwait(false);
            });
            started.SetResult();
        }
    }

    private async Task RunAsync(HostedSession session)
    {
        try
        {
            await session.RunAsync().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            BackchannelLog.ServingFailed(_logger, error);
        }
        finally
        {
            _sessions.TryRemove(session, out _);
        }
    }

    private async Task DisposeOnceAsync()
    {
        await Task.Yield(); // Out of the lock.
        var running = _sessions.ToArray();
        foreach (var (session, _) in running)
        {
            session.Close();
        }

        try
        {
            await Task.WhenAll(running.Select(pair => pair.Value)).ConfigureAwait(false);
        }
        finally
        {
            if (_starting is not null)
            {
                await _starting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await _app.StopAsync().ConfigureAwait(false);
            }

            await _app.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static Task RunWithoutContext(Func<Task> run)
    {
        if (ExecutionContext.IsFlowSuppressed())
        {
            return Task.Run(run);
        }

        using (ExecutionContext.SuppressFlow())
        {
            return Task.Run(run);
        }
    }
}
