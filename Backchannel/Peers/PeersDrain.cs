using System.Security.Cryptography;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Backchannel;

/// <summary>
/// Sends the attached agents elsewhere before the server stops. They hear of it one after the other, so that they do not all connect to the next server in one instant, but
/// few of them in no time.
/// </summary>
internal sealed class PeersDrain(PeerNames names, ServerMetrics metrics, IOptions<BackchannelServerOptions> options, IOptions<HostOptions> host) : IHostedLifecycleService
{
    // How far apart two agents hear of it, unless that took longer than the part of the time that is there for it.
    private static readonly TimeSpan Distance = TimeSpan.FromMilliseconds(10);

    private const int PartForTelling = 3;

    // Who is refused may come to another server the next time, behind the same address. Not much later: who moves keeps this one waiting.
    private static readonly TimeSpan TryElsewhereAfter = TimeSpan.FromMilliseconds(100);

    // There is no other server, or it was not found: a restart takes some seconds.
    private static readonly TimeSpan ComeBackAfter = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private TimeSpan _limit = options.Value.DrainTimeout;
    private readonly TimeProvider _timeProvider = options.Value.Yamux.TimeProvider;
    private long _began;
    private Task? _draining;

    /// <summary>Whether nobody may attach any more.</summary>
    public bool HasBegun => Volatile.Read(ref _draining) is not null;

    /// <exception cref="RpcException">Nobody may attach any more.</exception>
    public void ThrowIfDraining()
    {
        if (HasBegun)
        {
            throw new RpcException(new Status(StatusCode.ResourceExhausted, "attach refused: the server is about to stop"), RetryPushback.Trailers(TryElsewhereAfter));
        }
    }

    /// <summary>For one that has attached while the drain began.</summary>
    public void TellIfDraining(PresentPeer peer)
    {
        if (HasBegun)
        {
            peer.Notices.Drain(Left());
        }
    }

    /// <summary>Drains, once; completes when nobody is attached any more.</summary>
    public Task DrainAsync(CancellationToken cancellationToken) => DrainAsync(options.Value.DrainTimeout, cancellationToken);

    private Task DrainAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_draining is null)
            {
                _limit = limit;
                _began = _timeProvider.GetTimestamp();
                _draining = DetachedTask.Run(DrainOnceAsync);
            }

            return _draining.WaitAsync(cancellationToken);
        }
    }

    /// <summary>The server is about to stop: its connections live until this ends, or it has to stop at once.</summary>
    /// <remarks>The host aborts all that is left when its own time is over. A third of that is for the calls of those that have not moved.</remarks>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        var limit = options.Value.DrainTimeout;
        if (host.Value.ShutdownTimeout is var shutdown && shutdown != Timeout.InfiniteTimeSpan && (limit == Timeout.InfiniteTimeSpan || limit > shutdown * 2 / 3))
        {
            limit = shutdown * 2 / 3;
        }

        await DrainAsync(limit, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task DrainOnceAsync()
    {
        using var over = new CancellationTokenSource(_limit, _timeProvider);
        await TellAsync(over.Token).ConfigureAwait(false);
        await names.WhenEmptyAsync().WaitAsync(over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var present in names.List())
        {
            present.End(PeerDisconnectReason.ServerStopping, "the server stops", ComeBackAfter);
        }

        metrics.Drained(_began);
    }

    private async Task TellAsync(CancellationToken over)
    {
        var present = names.List().ToArray();
        RandomNumberGenerator.Shuffle(present.AsSpan());
        var distance = _limit is var time && time != Timeout.InfiniteTimeSpan && Distance * present.Length > time / PartForTelling
            ? time / PartForTelling / present.Length
            : Distance;
        for (var i = 0; i < present.Length; i++)
        {
            if (i > 0)
            {
                var due = (distance * i) - _timeProvider.GetElapsedTime(_began);
                if (due > TimeSpan.Zero)
                {
                    await Task.Delay(due, _timeProvider, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            }

            present[i].Notices.Drain(Left());
        }
    }

    private TimeSpan Left()
    {
        if (_limit == Timeout.InfiniteTimeSpan)
        {
            return _limit;
        }

        var left = _limit - _timeProvider.GetElapsedTime(_began);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
