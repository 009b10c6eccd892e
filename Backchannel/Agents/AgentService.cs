using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Security.Cryptography;
using Backchannel.V1;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Backchannel;

/// <summary>Keeps the agent attached from the start of its host to the stop.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A source of cancellation without a timer has nothing to release.")]
internal sealed class AgentService : IHostedService, IDisposable
{
    // Of a server that stops there may be another behind the same balancer, which may lead to the first again.
    private const int TriesToMove = 3;

    // Between them, unless the server says another time: the old one waits, and is to have stopped within a second where there is no other.
    private static readonly TimeSpan WaitToMove = TimeSpan.FromMilliseconds(100);

    private const int MostSaid = 16;

    private readonly BackchannelAgentOptions _options;
    private readonly AgentHost _host;
    private readonly AgentStatus _status;
    private readonly AgentMetrics _metrics;
    private readonly TimeProvider _timeProvider;
    private readonly ILogger _logger;
    private readonly AgentBackoff _backoff;
    private readonly AttachRequest _request;
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _overdue = new(); // Calls have had their time.
    private readonly HashSet<Task> _leaving = [];
    private Task _running = Task.CompletedTask;
    private readonly HashSet<string> _said = []; // Why the agent was not attached, since it last was.

    public AgentService(IOptions<BackchannelAgentOptions> options, AgentHost host, AgentStatus status, AgentClock clock, AgentMetrics metrics, ILoggerFactory loggers)
    {
        _options = options.Value;
        _host = host;
        _status = status;
        _metrics = metrics;
        _timeProvider = clock.TimeProvider;
        _logger = loggers.CreateLogger("Backchannel.Agent");
        _backoff = new AgentBackoff(_options, static () => RandomNumberGenerator.GetInt32(int.MaxValue) / (double)int.MaxValue);
        _request = new AttachRequest
        {
            Name = _options.Name,
            Instance = RandomNumberGenerator.GetHexString(32, lowercase: true),
            AgentVersion = _options.Version ?? Assembly.GetEntryAssembly()?.GetName().Version?.ToString() ?? "",
            Labels = { _options.Labels },
        };
    }

    /// <summary>Begins; the host does not wait until there is a server.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _running = DetachedTask.Run(RunAsync);
        return Task.CompletedTask;
    }

    /// <summary>Ends the attachment; calls that run end, in either direction, or are cut off when they have had their time.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await using (cancellationToken.UnsafeRegister(static overdue => ((CancellationTokenSource)overdue!).Cancel(), _overdue).ConfigureAwait(false))
        {
            await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // It has logged what it failed with.
            Task[] leaving;
            lock (_leaving)
            {
                leaving = [.. _leaving];
            }

            await Task.WhenAll(leaving).ConfigureAwait(false);
            await _host.StopAsync(_overdue.Token).ConfigureAwait(false);
        }

        AgentLog.Stopped(_logger, _options.Address);
    }

    /// <summary>The host ends without having stopped it, since another service did not start.</summary>
    public void Dispose()
    {
        _stopping.Cancel();
        _overdue.Cancel();
    }

    private async Task RunAsync()
    {
        AgentConnection? attached = null;
        try
        {
            while (true)
            {
                Exception failure;
                TimeSpan? retryAfter = null;
                try
                {
                    attached ??= await AttachAsync(_stopping.Token).ConfigureAwait(false);
                    var (next, detached) = await StayAsync(attached).ConfigureAwait(false);
                    Leave(attached, next is null ? "the agent has let go of the connection" : "the agent has moved to another connection");
                    attached = next;
                    if (next is not null)
                    {
                        continue;
                    }

                    (failure, retryAfter) = Ended(detached);
                }
                catch (Exception lost) when (!_stopping.IsCancellationRequested)
                {
                    failure = lost;
                    if (attached is not null)
                    {
                        Leave(attached, "the connection was lost");
                        attached = null;
                    }
                }

                _status.OnDetached(failure);
                await WaitAsync(failure, retryAfter).ConfigureAwait(false);
            }
        }
        catch (Exception) when (_stopping.IsCancellationRequested)
        {
            // Stopped: whatever was under way has been given up.
        }
        catch (Exception failure)
        {
            AgentLog.Failed(_logger, _options.Address, failure);
            throw;
        }
        finally
        {
            _status.OnStopped();
            if (attached is not null)
            {
                Leave(attached, "the agent is stopping");
            }
        }
    }

    /// <summary>Attaches on a new connection, to which calls go from then on.</summary>
    private async Task<AgentConnection> AttachAsync(CancellationToken cancellationToken)
    {
        AgentConnection? connection = null;
        try
        {
            connection = _host.NewConnection();
            var attached = await connection.AttachAsync(_request, cancellationToken).ConfigureAwait(false);
            _backoff.Reset();
            _said.Clear();
            _status.OnAttached(connection, attached.Name);
            AgentLog.Attached(_logger, _options.Address, attached.Name, attached.PeerId);
            return connection;
        }
        catch (Exception failure)
        {
            if (failure is not OperationCanceledException)
            {
                _metrics.OnAttachFailed();
            }

            if (connection is not null)
            {
                await connection.DisposeAsync().ConfigureAwait(false);
            }

            throw;
        }
    }

    /// <summary>Until the attachment ends.</summary>
    /// <returns>The connection that takes its place, if there is one; and what the server has said last, if it has.</returns>
    private async Task<(AgentConnection? Next, Detached? Detached)> StayAsync(AgentConnection connection)
    {
        while (await connection.NextAsync(_stopping.Token).ConfigureAwait(false) is { } notice)
        {
            switch (notice.NoticeCase)
            {
                case Notice.NoticeOneofCase.Draining:
                    var within = TimeSpan.FromMilliseconds(Math.Clamp(notice.Draining.MoveWithinMs, 0, int.MaxValue));
                    AgentLog.Moves(_logger, _options.Address, within == TimeSpan.Zero ? "all the time that it needs" : FormattableString.Invariant($"{within.TotalSeconds:0.###} s"));
                    return await MoveAsync(connection, within).ConfigureAwait(false);
                case Notice.NoticeOneofCase.Detached:
                    return (null, OnDetached(notice.Detached));
            }
        }

        return (null, null);
    }

    /// <summary>Attaches elsewhere, while the old connection still serves; if that ends meanwhile, nobody is sent there any more.</summary>
    /// <param name="old">The old one.</param>
    /// <param name="within">How long its server waits; 0: it does not say.</param>
    private async Task<(AgentConnection? Next, Detached? Detached)> MoveAsync(AgentConnection old, TimeSpan within)
    {
        var ending = ObservedTask.Of(UntilEndAsync(old));
        using var limit = new CancellationTokenSource(within == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : within, _timeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stopping.Token);
        var next = await TryMoveAsync(either.Token).ConfigureAwait(false);
        return (next, next is null && ending.IsCompleted ? await ending.ConfigureAwait(false) : null);
    }

    private async Task<Detached?> UntilEndAsync(AgentConnection connection)
    {
        try
        {
            while (await connection.NextAsync(_stopping.Token).ConfigureAwait(false) is { } notice)
            {
                if (notice.NoticeCase == Notice.NoticeOneofCase.Detached)
                {
                    _status.OnEnded(connection, Ended(notice.Detached).Failure);
                    return OnDetached(notice.Detached);
                }
            }

            _status.OnEnded(connection, Ended(null).Failure);
            return null;
        }
        catch (Exception failure)
        {
            _status.OnEnded(connection, failure);
            throw;
        }
    }

    /// <returns>The new connection; null: there is no other server now.</returns>
    private async Task<AgentConnection?> TryMoveAsync(CancellationToken cancellationToken)
    {
        for (var i = 1; ; i++)
        {
            try
            {
                return await AttachAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception failure) when (!_stopping.IsCancellationRequested)
            {
                if (i == TriesToMove || cancellationToken.IsCancellationRequested)
                {
                    AgentLog.NotMoved(_logger, _options.Address, AgentFailure.Explain(failure));
                    return null;
                }

                var wait = AgentFailure.RetryAfter(failure) ?? (_options.MinBackoff < WaitToMove ? _options.MinBackoff : WaitToMove);
                await Task.Delay(wait, _timeProvider, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private Detached OnDetached(Detached detached)
    {
        AgentLog.Detached(_logger, _options.Address, detached.Reason, detached.Detail);
        return detached;
    }

    private (RpcException Failure, TimeSpan? RetryAfter) Ended(Detached? detached) => detached is null
        ? (new RpcException(new Status(StatusCode.Unavailable, $"the attachment to {_options.Address} has ended")), null)
        : (new RpcException(new Status(StatusCode.Unavailable, $"the server at {_options.Address} has ended the attachment: {detached.Reason}. {detached.Detail}")),
            TimeSpan.FromMilliseconds(Math.Clamp(detached.RetryAfterMs, 0, int.MaxValue)));

    private async Task WaitAsync(Exception failure, TimeSpan? retryAfter)
    {
        var isLasting = AgentFailure.IsLasting(failure);
        var wait = _backoff.Next(isLasting, retryAfter ?? AgentFailure.RetryAfter(failure));
        var reason = AgentFailure.Explain(failure);
        var waiting = Task.Delay(wait, _timeProvider, _stopping.Token); // Before it is said.
        if (!IsNew(reason))
        {
            AgentLog.StillNotAttached(_logger, _options.Address, reason, wait);
        }
        else if (isLasting)
        {
            AgentLog.Refused(_logger, _options.Address, reason, wait);
        }
        else
        {
            AgentLog.NotAttached(_logger, _options.Address, reason, wait);
        }

        await waiting.ConfigureAwait(false);
    }

    private bool IsNew(string reason)
    {
        if (_said.Contains(reason))
        {
            return false;
        }

        if (_said.Count == MostSaid)
        {
            _said.Clear(); // They have something in them that is another each time.
        }

        return _said.Add(reason);
    }

    // It takes as long as the calls on it; StopAsync waits for it.
    private void Leave(AgentConnection connection, string reason)
    {
        var leaving = LeaveAsync(connection, reason);
        lock (_leaving)
        {
            _leaving.RemoveWhere(task => task.IsCompleted);
            _leaving.Add(leaving);
        }
    }

    private async Task LeaveAsync(AgentConnection connection, string reason)
    {
        try
        {
            await connection.LeaveAsync(reason, _overdue.Token).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            AgentLog.LeaveFailed(_logger, _options.Address, failure);
        }
    }
}
