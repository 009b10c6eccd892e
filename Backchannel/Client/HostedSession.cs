using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;
using Yamux;

namespace Backchannel;

/// <summary>
/// A session of the client's. It lends streams to HTTP handlers, each as a connection of theirs, and hands the streams that the server opens to
/// the inner server. When no handler has one any more it drains: what runs goes on, nothing new begins, and then it ends.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "RunAsync disposes of it.")]
internal sealed class HostedSession
{
    private readonly YamuxSession _session;
    private readonly string _id;
    private readonly StreamListener _listener;
    private readonly TimeProvider _timeProvider;
    private readonly TimeSpan _drainTimeout;
    private readonly ILogger _logger;
    private readonly LentStreams _lent = new(ServerAnswer.Explain);
    private readonly Lock _gate = new();
    private readonly HashSet<ConnectionContext> _served = [];
    private readonly CancellationTokenSource _end;
    private string? _drainReason;
    private volatile bool _serverLeaves;

    public HostedSession(YamuxSession session, string id, InnerServer.Running server, BackchannelHostOptions options)
    {
        _session = session;
        _id = id;
        _listener = server.Listener;
        _logger = server.Logger;
        _timeProvider = options.Yamux.TimeProvider;
        _drainTimeout = options.DrainTimeout;
        _end = new CancellationTokenSource(Timeout.InfiniteTimeSpan, _timeProvider);
        _lent.Emptied += OnLentEmptied;
        _lent.PeerLeaving += () => _serverLeaves = true;
    }

    /// <summary>Why no further calls are served; null while they are.</summary>
    public string? DrainReason => Volatile.Read(ref _drainReason);

    /// <summary>Whether a further stream may be had. If not, a further connection may reach another server.</summary>
    public bool IsOpen => DrainReason is null && !_serverLeaves && !_session.Completion.IsCompleted;

    /// <summary>Runs until the session has ended and its connection is closed.</summary>
    /// <param name="first">The stream whose acknowledgement is the first thing that the server says.</param>
    /// <param name="answerLimit">How long it has for that; infinite: no limit of its own.</param>
    public async Task RunAsync(YamuxStream first, TimeSpan answerLimit)
    {
        BackchannelLog.Serving(_logger);
        var answered = ExpectAnswerAsync(first, answerLimit);
        await using (_session.ConfigureAwait(false))
        {
            try
            {
                await foreach (var stream in _session.AcceptStreamsAsync(_end.Token).ConfigureAwait(false))
                {
                    var connection = new YamuxStreamConnectionContext(stream, _id);
                    connection.Features.Set(this);
                    if (!_listener.TryAdd(connection))
                    {
                        connection.Abort();
                    }
                }
            }
            catch (OperationCanceledException) when (_end.IsCancellationRequested)
            {
                // Drained, or closed at this end; disposing the session does the rest.
            }
        }

        await answered.ConfigureAwait(false);
        _end.Dispose();
    }

    /// <summary>Gives a stream to a handler. Null: the session is draining, or has ended, or its server is leaving.</summary>
    public async ValueTask<(LentStream Lent, YamuxStream Stream)?> TryLendAsync(CancellationToken cancellationToken)
    {
        YamuxStream stream;
        try
        {
            stream = await _session.OpenStreamAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (YamuxException failure) when (!IsOpen || failure.ErrorCode == YamuxErrorCode.GoAway)
        {
            return null;
        }

        return _lent.TryLend(stream) is { } lent ? (lent, stream) : null;
    }

    /// <summary>Whether the server answers at all. Throws nothing.</summary>
    public async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _session.PingAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception failure) when (failure is YamuxException or OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>The inner server begins to serve a stream.</summary>
    public void OnServing(ConnectionContext connection)
    {
        lock (_gate)
        {
            _served.Add(connection);
        }
    }

    /// <summary>It has served it.</summary>
    public void OnServed(ConnectionContext connection)
    {
        lock (_gate)
        {
            _served.Remove(connection);
        }

        EndIfIdle();
    }

    /// <summary>
    /// Takes no further calls, in either direction. Those that run go on, for as long as the options allow; then the session ends.
    /// </summary>
    public void Drain(string reason) => Drain(reason, _drainTimeout);

    /// <summary>Ends the session, whatever runs. <see cref="RunAsync"/> ends when that is done.</summary>
    public void End()
    {
        Interlocked.CompareExchange(ref _drainReason, "the client has closed the connection", null);
        try
        {
            _ = _end.CancelAsync(); // Elsewhere: the caller may hold locks of its own.
        }
        catch (ObjectDisposedException)
        {
            // It has ended meanwhile.
        }
    }

    private void Drain(string reason, TimeSpan limit)
    {
        ConnectionContext[] served;
        lock (_gate)
        {
            if (_drainReason is not null)
            {
                return;
            }

            _drainReason = reason;
            served = [.. _served];
        }

        try
        {
            _end.CancelAfter(limit);
        }
        catch (ObjectDisposedException)
        {
            return; // It has ended meanwhile.
        }

        foreach (var connection in served)
        {
            connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
        }

        _lent.Close();
        EndIfIdle();
    }

    private void OnLentEmptied()
    {
        // A server that leaves says itself how long its calls may go on.
        Drain("the client has closed its connection", _serverLeaves ? Timeout.InfiniteTimeSpan : _drainTimeout);
        EndIfIdle();
    }

    private void EndIfIdle()
    {
        bool idle;
        lock (_gate)
        {
            idle = _drainReason is not null && _served.Count == 0;
        }

        if (idle && _lent.IsEmpty)
        {
            End();
        }
    }

    private async Task ExpectAnswerAsync(YamuxStream first, TimeSpan limit)
    {
        try
        {
            await first.Acknowledged.WaitAsync(limit, _timeProvider).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            _session.Abort(new IOException($"The server took the connection and said nothing within {limit.TotalSeconds} s (SocketsHttpHandler.ConnectTimeout)."));
        }
        catch (YamuxException)
        {
            // The streams tell why.
        }
    }
}
