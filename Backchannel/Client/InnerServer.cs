using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace Backchannel;

/// <summary>
/// The Kestrel that serves the client's services on what servers open. It starts with the first connection; a start that fails is tried again, with a new
/// one, at the next.
/// </summary>
/// <param name="build">Makes it. What is wrong with the services or the endpoints shows here.</param>
[SuppressMessage("Design", "CA1001", Justification = "A source of cancellation without a timer has nothing to release.")]
internal sealed class InnerServer(Func<StreamListener, IInnerApplication> build)
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private Running? _built = Build(build);
    private Task<Running>? _starting;

    /// <summary>The running server.</summary>
    public Task<Running> StartAsync()
    {
        lock (_gate)
        {
            if (_starting is null or { IsFaulted: true } or { IsCanceled: true })
            {
                // Without the context of the call that happens to be first.
                _starting = DetachedTask.Run(StartOnceAsync);
            }

            return _starting;
        }
    }

    /// <summary>Stops it. To be called once, when nobody starts it any more.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false); // A start that is under way.
        var server = _built;
        if (_starting is { } starting)
        {
            await ((Task)starting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            server = starting.IsCompletedSuccessfully ? await starting.ConfigureAwait(false) : _built;
        }

        if (server is null)
        {
            return; // Its start had failed.
        }

        try
        {
            if (_starting is not null)
            {
                await server.App.StopAsync(CancellationToken.None).ConfigureAwait(false);
            }
        }
        finally
        {
            await server.App.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<Running> StartOnceAsync()
    {
        var server = _built ?? Build(build);
        _built = null;
        try
        {
            await server.App.StartAsync(_stop.Token).ConfigureAwait(false);
            return server;
        }
        catch
        {
            await server.App.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static Running Build(Func<StreamListener, IInnerApplication> build)
    {
        var listener = new StreamListener();
        var app = build(listener);
        return new Running(app, listener, app.Loggers.CreateLogger("Backchannel.Client"), app.Loggers.CreateLogger("Yamux"));
    }

    /// <summary>A server that was built, and what it takes connections by.</summary>
    public sealed record Running(IInnerApplication App, StreamListener Listener, ILogger Logger, ILogger SessionLogger);
}
