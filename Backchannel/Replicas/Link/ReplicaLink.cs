using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Yamux;

namespace Backchannel;

/// <summary>The connections to one other replica: none until it is asked for something, and then as few as will do.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A source of cancellation without a timer has nothing to release.")]
internal sealed class ReplicaLink(ReplicaRecord replica, LinkDialer dialer, BackchannelReplicaOptions options, ReplicaMetrics metrics, TimeProvider timeProvider, ILogger logger) : IAsyncDisposable
{
    // With fewer than these on each there is no further connection.
    private const int StreamsPerConnection = 64;

    // Who cannot be reached is not tried again for each call.
    private static readonly TimeSpan FailureLasts = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private readonly List<YamuxSession> _sessions = [];
    private readonly CancellationTokenSource _disposed = new();
    private Task<YamuxSession>? _dialing;
    private Task _lastDial = Task.CompletedTask;
    private (string Reason, long At)? _failure;
    private string? _lastLogged;

    public ReplicaRecord Replica => replica;

    /// <summary>Whether there is a connection, which is proof that the replica lives, whatever the directory says.</summary>
    public bool IsUp
    {
        get
        {
            lock (_gate)
            {
                return _sessions.Count > 0;
            }
        }
    }

    /// <summary>A stream to the replica, with this header, and its answer.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<LinkOpening> OpenAsync(LinkHeader header, CancellationToken cancellationToken)
    {
        YamuxSession session;
        try
        {
            session = await GetSessionAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException failure)
        {
            return new LinkOpening(null, Failure: failure.Message);
        }

        YamuxStream? stream = null;
        try
        {
            stream = await session.OpenStreamAsync(cancellationToken).ConfigureAwait(false);
            await stream.WriteAsync(header.ToBytes(), cancellationToken).ConfigureAwait(false);
            var read = await stream.Input.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (read.Buffer.IsEmpty)
            {
                stream.Input.AdvanceTo(read.Buffer.End);
                stream.Abort();
                return new LinkOpening(null, Failure: "it ended the stream without an answer");
            }

            var answer = (LinkAnswer)read.Buffer.FirstSpan[0];
            stream.Input.AdvanceTo(read.Buffer.GetPosition(1));
            if (new LinkOpening(answer, stream) is { IsHere: true } opening)
            {
                return opening;
            }

            metrics.Refused(answer);
            await stream.DisposeAsync().ConfigureAwait(false);
            return Enum.IsDefined(answer) ? new LinkOpening(answer) : new LinkOpening(null, Failure: FormattableString.Invariant($"it answered {(byte)answer}, which this version does not know"));
        }
        catch (OperationCanceledException)
        {
            stream?.Abort();
            throw;
        }
        catch (Exception failure) when (failure is YamuxException or ObjectDisposedException)
        {
            stream?.Abort();
            return new LinkOpening(null, Failure: failure.Message);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _disposed.CancelAsync().ConfigureAwait(false);
        Task dialing;
        YamuxSession[] sessions;
        lock (_gate)
        {
            dialing = _lastDial;
            sessions = [.. _sessions];
        }

        await dialing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            sessions = [.. sessions.Union(_sessions)];
        }

        await Task.WhenAll(sessions.Select(session => session.DisposeAsync().AsTask())).ConfigureAwait(false);
    }

    private ValueTask<YamuxSession> GetSessionAsync(CancellationToken cancellationToken)
    {
        Task<YamuxSession> dialing;
        lock (_gate)
        {
            YamuxSession? best = null;
            foreach (var session in _sessions)
            {
                if (best is null || session.StreamCount < best.StreamCount)
                {
                    best = session;
                }
            }

            if (best is not null && (best.StreamCount < StreamsPerConnection || _sessions.Count >= options.MaxConnectionsPerReplica))
            {
                return new(best);
            }

            dialing = DialUnsynchronized();
            if (best is not null)
            {
                return new(best); // The next has the new one.
            }
        }

        return new(dialing.WaitAsync(cancellationToken));
    }

    private Task<YamuxSession> DialUnsynchronized()
    {
        if (_dialing is not null)
        {
            return _dialing;
        }

        if (_disposed.IsCancellationRequested)
        {
            return Task.FromException<YamuxSession>(new IOException("this replica stops"));
        }

        if (_failure is { } failure && timeProvider.GetElapsedTime(failure.At) < FailureLasts)
        {
            return Task.FromException<YamuxSession>(new IOException(failure.Reason));
        }

        _dialing = DetachedTask.Run(DialAsync);
        _lastDial = _dialing;
        return _dialing;
    }

    private async Task<YamuxSession> DialAsync()
    {
        using var timeout = new CancellationTokenSource(options.DialTimeout, timeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _disposed.Token);
        try
        {
            var session = await dialer.DialAsync(replica, either.Token).ConfigureAwait(false);
            OnUp(session);
            return session;
        }
        catch (Exception failure)
        {
            var reason = timeout.IsCancellationRequested ? $"{replica.Address}: no connection within {options.DialTimeout.TotalSeconds} s" : $"{replica.Address}: {failure.Message}";
            lock (_gate)
            {
                _dialing = null;
                _failure = (reason, timeProvider.GetTimestamp());
            }

            if (_lastLogged != reason && !_disposed.IsCancellationRequested)
            {
                _lastLogged = reason;
                ReplicaLog.LinkFailed(logger, replica.Id, reason);
            }

            throw new IOException(reason, failure);
        }
    }

    private void OnUp(YamuxSession session)
    {
        lock (_gate)
        {
            _dialing = null;
            _failure = null;
            _sessions.Add(session);
        }

        _lastLogged = null;
        metrics.LinkUp();
        ReplicaLog.LinkUp(logger, replica.Id, replica.Address);
        session.GoAwayReceived.UnsafeRegister(_ => Remove(session), null);
        _ = session.Completion.ContinueWith(
            ended =>
            {
                Remove(session);
                metrics.LinkDown();
                ReplicaLog.LinkDown(logger, replica.Id, replica.Address, ended.Exception?.InnerException);
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    // It takes no more streams; those that it has go on.
    private void Remove(YamuxSession session)
    {
        lock (_gate)
        {
            _sessions.Remove(session);
        }
    }
}
