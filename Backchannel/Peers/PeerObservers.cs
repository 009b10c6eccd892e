using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Backchannel;

/// <summary>Tells the observers, each from a watch of its own.</summary>
internal sealed class PeerObservers(PeerNames names, IEnumerable<IBackchannelPeerObserver> observers, ILoggerFactory loggers) : IHostedService, IDisposable
{
    private readonly ILogger _logger = loggers.CreateLogger("Backchannel.Server");
    private readonly CancellationTokenSource _stopping = new(); // No more is waited for.
    private readonly CancellationTokenSource _stopped = new(); // No more is told.
    private Task _running = Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // Before anybody can attach.
        var watched = observers.Select(observer => (Observer: observer, Watch: names.Watch())).ToArray();
        _running = DetachedTask.Run(() => Task.WhenAll(watched.Select(pair => RunAsync(pair.Observer, pair.Watch))));
        return Task.CompletedTask;
    }

    /// <summary>By now nobody is attached, if the server has stopped in good order: what is pending is told in the time that there is.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await using (cancellationToken.UnsafeRegister(static stopped => ((CancellationTokenSource)stopped!).Cancel(), _stopped).ConfigureAwait(false))
        {
            await _running.ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _stopped.Dispose();
    }

    private async Task RunAsync(IBackchannelPeerObserver observer, PeerWatch watch)
    {
        using (watch)
        {
            try
            {
                await foreach (var change in watch.ReadAllAsync(_stopping.Token).ConfigureAwait(false))
                {
                    await TellAsync(observer, change).ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                while (!_stopped.IsCancellationRequested && watch.TryTake() is { } change)
                {
                    await TellAsync(observer, change).ConfigureAwait(false);
                }
            }
        }
    }

    private async Task TellAsync(IBackchannelPeerObserver observer, PeerChange change)
    {
        using var scope = _logger.BeginScope(change.Peer!.Scope);
        try
        {
            // Whoever does not listen to the token is waited for no longer than the token says.
            var told = change.Kind == PeerChangeKind.Connected
                ? observer.OnConnectedAsync(change.Peer!, _stopped.Token)
                : observer.OnDisconnectedAsync(change.Peer!, change.Reason!.Value, _stopped.Token);
            await told.AsTask().WaitAsync(_stopped.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stopped.IsCancellationRequested)
        {
            // The server has to stop.
        }
        catch (Exception failure)
        {
            AttachmentLog.ObserverFailed(_logger, observer.GetType().FullName!, change.Name, change.Kind, failure);
        }
    }
}
