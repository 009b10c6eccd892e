using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
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
/// number of channels, and has one connection to each address, by each proxy and as each client certificate, whatever number of channels and handlers use it; hence it is one
/// peer of each server. The services start with the first connection.
/// </remarks>
public sealed class BackchannelHost : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly BackchannelHostOptions _options;
    private readonly ServedCalls _calls;
    private readonly InnerServer _server;
    private readonly SessionPool _pool;
    private readonly ConcurrentDictionary<HostedSession, ServedSession> _sessions = new();
    // The calls have had their time by then.
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _drainOver = new();
    private long _lastSession;
    private Task? _stopping;

    private BackchannelHost(BackchannelHostOptions options, ServedCalls calls, InnerServer server)
    {
        _options = options;
        _calls = calls;
        _server = server;
        _pool = new SessionPool(options.Yamux.TimeProvider);
    }

    /// <summary>How many connections are being served.</summary>
    public int ConnectionCount => _sessions.Count;

    /// <summary>Makes a host.</summary>
    /// <param name="services">
    /// Registers the services: <c>services => services.AddGrpc()</c>. Logging too, if it is wanted elsewhere than on the console, which gets warnings and errors.
    /// Called again if a start of the host fails and is tried again.
    /// </param>
    /// <param name="endpoints">Maps the services: <c>endpoints => endpoints.MapGrpcService&lt;Votes&gt;()</c>. Called as often as <paramref name="services"/>.</param>
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
        var calls = new ServedCalls();
        return new BackchannelHost(options, calls, new InnerServer(listener => Build(listener, options, calls, services, endpoints)));
    }

    /// <summary>Makes a host whose services are those of another container.</summary>
    /// <param name="options">The settings, checked.</param>
    /// <param name="build">Makes the application that serves them; a start that fails is tried again with a new one.</param>
    internal static BackchannelHost CreateWithin(BackchannelHostOptions options, Func<StreamListener, ServedCalls, IInnerApplication> build)
    {
        var calls = new ServedCalls();
        return new BackchannelHost(options, calls, new InnerServer(listener => build(listener, calls)));
    }

    /// <summary>
    /// Stops in good order: no further connections and calls in either direction; those that run go on until they end, until
    /// <see cref="BackchannelHostOptions.DrainTimeout"/> is over, or until <paramref name="cancellationToken"/> is cancelled. Then the connections close and the services stop.
    /// </summary>
    /// <remarks>
    /// The second call waits for the same end, and its token can end the waiting for calls too. Called by a call that the host itself serves, or by what such a call has begun while it runs, it
    /// returns as soon as stopping has begun: the end waits for that call. A handler that goes on when its call is aborted, and the hosted services, have 5 s more
    /// (<c>HostOptions.ShutdownTimeout</c> of the services).
    /// </remarks>
    /// <param name="cancellationToken">Ends the waiting for calls: they are aborted.</param>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        var stopping = BeginStop();
        if (_calls.IsWithin)
        {
            return;
        }

        using (cancellationToken.UnsafeRegister(static host => ((BackchannelHost)host!).EndDrain(), this))
        {
            await stopping.ConfigureAwait(false);
        }
    }

    /// <summary>As <see cref="StopAsync"/> with a token that is cancelled already: calls that run are aborted.</summary>
    public async ValueTask DisposeAsync()
    {
        var stopping = BeginStop();
        EndDrain();
        if (!_calls.IsWithin)
        {
            await stopping.ConfigureAwait(false);
        }
    }

    /// <summary>Lets go of a connection in good order: no further calls in either direction, those that run go on, as in <see cref="StopAsync"/>.</summary>
    /// <param name="owner">Whose it is: what the connect callback of its handler belongs to.</param>
    /// <param name="reason">Why, for whoever calls over it now.</param>
    /// <param name="cancellationToken">Ends the waiting for calls: they are aborted.</param>
    /// <returns>Completes when it has ended.</returns>
    internal async Task LetGoAsync(IConnectsOnce owner, string reason, CancellationToken cancellationToken)
    {
        var sessions = _sessions.Where(pair => pair.Value.Key.ConnectCallback?.Target == owner).ToArray();
        foreach (var (session, _) in sessions)
        {
            session.Drain(reason);
        }

        using (cancellationToken.UnsafeRegister(_ => Array.ForEach(sessions, pair => pair.Key.End()), null))
        {
            await Task.WhenAll(sessions.Select(pair => pair.Value.Run)).ConfigureAwait(false);
        }
    }

    /// <summary>Makes a connection of an HTTP handler's: <paramref name="transport"/> becomes multiplexed, unless there is one to the same place.</summary>
    /// <param name="transport">The connection that the handler has made. It is the host's from now on.</param>
    /// <param name="key">Where it goes, and as whom.</param>
    /// <param name="answer">How long the server may say nothing at all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal async ValueTask<Stream> ConnectAsync(Stream transport, ConnectionKey key, TimeSpan answer, CancellationToken cancellationToken)
    {
        var isNew = false;
        try
        {
            ThrowIfStopping();
            (var stream, isNew) = await _pool.LendAsync(key, token => OpenAsync(transport, key, answer, token), cancellationToken).ConfigureAwait(false);
            return stream;
        }
        catch (OperationCanceledException cancellation) when (cancellationToken.IsCancellationRequested)
        {
            // gRPC would take it for the call's own cancellation, and report that without a word.
            throw new IOException("The backchannel was not established in time (SocketsHttpHandler.ConnectTimeout).", cancellation);
        }
        finally
        {
            if (!isNew)
            {
                await transport.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private static InnerWebApplication Build(
        StreamListener listener, BackchannelHostOptions options, ServedCalls calls, Action<IServiceCollection> services, Action<IEndpointRouteBuilder> endpoints)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => InnerKestrel.Configure(kestrel, options, calls));
        builder.Services.AddRouting();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);
        builder.Services.AddSingleton<IConnectionListenerFactory>(listener);
        if (options.LoggerFactory is { } loggers)
        {
            builder.Services.Replace(ServiceDescriptor.Singleton(loggers));
        }

        services(builder.Services);
        if (options.LoggerFactory is null && !builder.Services.Any(service => service.ServiceType == typeof(ILoggerProvider)))
        {
            // What a service throws must be told somewhere, and the server that called learns little of it.
            builder.Services.AddLogging(logging => logging.AddConsole().SetMinimumLevel(LogLevel.Warning));
        }

        var app = builder.Build();
        try
        {
            app.Use(calls.OnRequestAsync);
            endpoints(app);
            return new InnerWebApplication(app);
        }
        catch
        {
            ((IDisposable)app).Dispose();
            throw;
        }
    }

    private async ValueTask<(HostedSession Session, Stream Stream)> OpenAsync(
        Stream transport, ConnectionKey key, TimeSpan answer, CancellationToken cancellationToken)
    {
        if (key.ConnectCallback?.Target is IConnectsOnce once && !once.TryBeginSession())
        {
            throw new NotDispatchedException("The connection of the agent to its server takes no further calls.");
        }

        YamuxSession? session = null;
        try
        {
            var server = await StartServerAsync(cancellationToken).ConfigureAwait(false);
            await SendMagicAsync(transport, key.IsTls, cancellationToken).ConfigureAwait(false);
            var feature = new BackchannelServerFeature(key, transport); // A session that ends at once disposes of the transport.
            var id = $"backchannel-{Interlocked.Increment(ref _lastSession)}";
            var scope = new ConnectionScope(id, feature.Address);
            var logger = new ConnectionLogger(server.Logger, scope);
            session = YamuxSession.Create(transport, YamuxRole.Client, MeterSource.Fill(_options.Yamux, server.App.Meters), new ConnectionLogger(server.SessionLogger, scope));
            var hosted = new HostedSession(session, id, server.Listener, logger, _options, key.IsTls)
            {
                Server = feature,
            };
            var (lent, first) = await hosted.LendFirstAsync(cancellationToken).ConfigureAwait(false);
            Run(hosted, hosted.ExpectAnswerAsync(first, answer), key, logger);
            return (hosted, lent);
        }
        catch (YamuxException failure)
        {
            session?.Abort();
            throw new IOException($"{ServerAnswer.Explain(failure, key.IsTls)} ({failure.Message})", failure); // So soon that there is no stream to say it on.
        }
        catch
        {
            session?.Abort();
            throw;
        }
    }

    private static async ValueTask SendMagicAsync(Stream transport, bool isTls, CancellationToken cancellationToken)
    {
        try
        {
            await transport.WriteAsync(BackchannelMagic.Bytes.ToArray(), cancellationToken).ConfigureAwait(false);
            await transport.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException failure)
        {
            throw new IOException($"{ServerAnswer.Closed(isTls)} ({failure.Message})", failure);
        }
    }

    private async ValueTask<InnerServer.Running> StartServerAsync(CancellationToken cancellationToken)
    {
        Task<InnerServer.Running> starting;
        lock (_gate)
        {
            ThrowIfStopping();
            starting = _server.StartAsync();
        }

        try
        {
            return await starting.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            ThrowIfStopping();
            throw new IOException($"The services of the {nameof(BackchannelHost)} did not start: {failure.Message}", failure);
        }
    }

    private void Run(HostedSession session, Task answered, ConnectionKey key, ILogger logger)
    {
        lock (_gate)
        {
            ThrowIfStopping();
            var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var run = DetachedTask.Run(async () =>
            {
                await started.Task.ConfigureAwait(false);
                try
                {
                    await session.RunAsync(answered).ConfigureAwait(false);
                }
                catch (Exception error)
                {
                    BackchannelLog.ServingFailed(logger, error);
                }
                finally
                {
                    _sessions.TryRemove(session, out _);
                    _pool.OnEnded(key);
                }
            });
            _sessions[session] = new ServedSession(run, key);
            started.SetResult();
        }
    }

    // An IOException, which is Unavailable for gRPC.
    private void ThrowIfStopping()
    {
        if (Volatile.Read(ref _stopping) is not null)
        {
            throw new IOException(
                $"The {nameof(BackchannelHost)} was stopped or disposed, and makes no further connections.", new ObjectDisposedException(nameof(BackchannelHost)));
        }
    }

    private Task BeginStop()
    {
        lock (_gate)
        {
            return _stopping ??= DetachedTask.Run(StopOnceAsync);
        }
    }

    private async Task StopOnceAsync()
    {
        var running = _sessions.ToArray();
        foreach (var (session, _) in running)
        {
            session.Drain("the client is stopping");
        }

        using (_drainOver.Token.UnsafeRegister(_ => Array.ForEach(running, pair => pair.Key.End()), null))
        {
            await Task.WhenAll(running.Select(pair => pair.Value.Run)).ConfigureAwait(false);
        }

        await _server.StopAsync().ConfigureAwait(false);
    }

    // Elsewhere: who cancels may hold locks of its own.
    private void EndDrain() => _ = _drainOver.CancelAsync();
}
