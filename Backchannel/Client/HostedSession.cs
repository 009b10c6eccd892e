using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Yamux;

namespace Backchannel;

/// <summary>
/// A session of the client's. It lends streams to HTTP handlers, each as a connection of theirs, and hands the streams that the server opens to
/// the inner server. When no handler has one any more it drains: what runs goes on, no call begins, and then it ends.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "RunAsync disposes of it.")]
internal sealed class HostedSession
{
    // Some less than a server takes (BackchannelServerOptions.MaxHttpConnectionsPerPeer, 128): those that are asked back take a moment.
    private const int MostLent = 100;

    private readonly YamuxSession _session;
    private readonly string _id;
    private readonly StreamListener _listener;
    private readonly TimeProvider _timeProvider;
    private readonly TimeSpan _drainTimeout;
    private readonly ILogger _logger;
    private readonly LentStreams _lent;
    private readonly Lock _gate = new();
    private readonly HashSet<ConnectionContext> _served = []; // From the acceptance to the end.
    private readonly HashSet<ConnectionContext> _http = []; // Those of them that turned out to be HTTP/2.
    private readonly HashSet<ConnectionContext> _unneeded = []; // Those of them that were there when no call ran any more, whether or not they could be asked to close.
    private readonly CancellationTokenSource _end;
    private bool _hasLimit;
    private bool _isOver; // No call ran any more, in either direction, and none begins: further streams can be nobody's.
    private volatile bool _serverLeaves;

    public HostedSession(YamuxSession session, string id, StreamListener listener, ILogger logger, BackchannelHostOptions options, bool isTls)
    {
        _session = session;
        _id = id;
        _listener = listener;
        _logger = logger;
        _timeProvider = options.Yamux.TimeProvider;
        _drainTimeout = options.DrainTimeout;
        _end = new CancellationTokenSource(Timeout.InfiniteTimeSpan, _timeProvider);
        _lent = new LentStreams(failure => ServerAnswer.Explain(failure, isTls), _timeProvider, reasonWhenEmptied: "the client has closed its connection", MostLent);
        _lent.Ended += OnLentEnded;
        _lent.PeerLeaving += () => _serverLeaves = true;
    }

    /// <summary>Who is at the other end; null: nobody has said.</summary>
    public IBackchannelServerFeature? Server { get; init; }

    /// <summary>Why no further calls are served; null while they are.</summary>
    public string? DrainReason => _lent.CloseReason;

    /// <summary>Whether a further stream may be had. If not, a further connection may reach another server.</summary>
    public bool IsOpen => DrainReason is null && !_serverLeaves && !_session.Completion.IsCompleted;

    /// <summary>Completes when the server has taken the first stream, which it may think about (<see cref="BackchannelServerOptions.OnConnecting"/>). Faulted: never.</summary>
    public Task Answered { get; private set; } = Task.CompletedTask;

    /// <summary>Ends the session if its server says nothing in time, from now on.</summary>
    /// <param name="first">The stream whose acknowledgement is the first thing that the server says.</param>
    /// <param name="limit">How long it has for that; infinite: no limit of its own.</param>
    public async Task ExpectAnswerAsync(YamuxStream first, TimeSpan limit)
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

    /// <summary>Runs until the session has ended and its connection is closed.</summary>
    /// <param name="answered">What <see cref="ExpectAnswerAsync"/> has returned.</param>
    public async Task RunAsync(Task answered)
    {
        BackchannelLog.Serving(_logger);
        await using (_session.ConfigureAwait(false))
        {
            try
            {
                while (await _session.AcceptUntilEndAsync(acknowledge: false, _end.Token).ConfigureAwait(false) is { } stream)
                {
                    var connection = new YamuxStreamConnectionContext(stream, _id) { Disposed = OnServed };
                    connection.Features.Set(this);
                    connection.Features.Set(Server);
                    lock (_gate)
                    {
                        if (_isOver)
                        {
                            stream.Abort(); // Not acknowledged: whoever has opened it knows that nobody has seen what it carries.
                            continue;
                        }

                        _served.Add(connection);
                    }

                    stream.Acknowledge(); // Not before: whoever has the acknowledgement counts on being served.
                    if (!_listener.TryAdd(connection))
                    {
                        connection.Abort();
                        await connection.DisposeAsync().ConfigureAwait(false);
                    }
                }
            }
            catch (OperationCanceledException) when (_end.IsCancellationRequested)
            {
                // Drained, or closed at this end; disposing the session does the rest.
            }
        }

        ConnectionContext[] left;
        lock (_gate)
        {
            left = [.. _served];
        }

        RequestClose(left); // Who does not look at the stream may look at this.
        await answered.ConfigureAwait(false);
        _end.Dispose();
    }

    /// <summary>Gives the session's first stream to a handler.</summary>
    /// <exception cref="YamuxException">The session has ended.</exception>
    public async ValueTask<(LentStream Lent, YamuxStream Stream)> LendFirstAsync(CancellationToken cancellationToken)
    {
        var stream = await _session.OpenStreamAsync(cancellationToken).ConfigureAwait(false);
        Answered = stream.Acknowledged;
        return (_lent.TryLend(stream)!, stream); // Nobody has closed them yet: nobody knows this session.
    }

    /// <summary>Gives a further stream to a handler. Null: the session is draining, or has ended, or is about to, or its server is leaving.</summary>
    public async ValueTask<(LentStream Lent, YamuxStream Stream)?> TryLendAsync(CancellationToken cancellationToken)
    {
        try
        {
            var stream = await _session.OpenStreamAsync(cancellationToken).ConfigureAwait(false);
            return _lent.TryLend(stream) is { } lent ? (lent, stream) : null;
        }
        catch (Exception failure) when (failure is YamuxException or ObjectDisposedException)
        {
            return null;
        }
    }

    /// <summary>Where Kestrel has taken up a stream that the server has opened. Before that it could not be asked to close.</summary>
    public static Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var session = connection.Features.Get<HostedSession>()!;
        var lifetime = new ServedStreamLifetime(connection.Features.GetRequiredFeature<IConnectionLifetimeNotificationFeature>(), connection.ConnectionId, session._logger);
        connection.Features.Set(lifetime);
        connection.Features.Set<IConnectionLifetimeNotificationFeature>(lifetime);
        session.OnTakenUp(connection);
        return next(connection);
    }

    /// <summary>Where the streams that the server opens are known to be HTTP/2 connections.</summary>
    public static async Task ServeHttpAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var session = connection.Features.Get<HostedSession>()!;
        connection.Features.Set(connection.Features.GetRequiredFeature<ServedStreamLifetime>().Kestrel);
        session.OnHttp(connection, begins: true);
        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            session.OnHttp(connection, begins: false);
        }
    }

    /// <summary>Whether the server answers at all. Throws nothing.</summary>
    public async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _session.PingAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception failure) when (failure is YamuxException or ObjectDisposedException or OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>
    /// Takes no further calls, in either direction. Those that run go on, for as long as the options allow; then the session ends.
    /// </summary>
    public void Drain(string reason)
    {
        _lent.Close(reason);
        DrainServed(_drainTimeout); // Which is a limit, if there was none yet.
    }

    /// <summary>Ends the session, whatever runs. <see cref="RunAsync"/> ends when that is done.</summary>
    public void End()
    {
        try
        {
            _ = _end.CancelAsync(); // Elsewhere: the caller may hold locks of its own.
        }
        catch (ObjectDisposedException)
        {
            // It has ended meanwhile.
        }
    }

    // A server that leaves says itself how long its calls may go on.
    private void OnLentEnded() => DrainServed(_serverLeaves ? Timeout.InfiniteTimeSpan : _drainTimeout);

    private void OnServed(ConnectionContext connection)
    {
        lock (_gate)
        {
            _served.Remove(connection);
            _unneeded.Remove(connection);
        }

        EndIfIdle();
    }

    private void OnTakenUp(ConnectionContext connection)
    {
        bool isUnneeded;
        lock (_gate)
        {
            isUnneeded = _unneeded.Contains(connection);
        }

        if (isUnneeded || _session.Completion.IsCompleted)
        {
            RequestClose([connection]);
        }
    }

    private void OnHttp(ConnectionContext connection, bool begins)
    {
        lock (_gate)
        {
            _ = begins ? _http.Add(connection) : _http.Remove(connection);
        }

        CloseUnneeded();
    }

    private void DrainServed(TimeSpan limit)
    {
        ConnectionContext[] http;
        bool isFirstLimit;
        lock (_gate)
        {
            isFirstLimit = limit != Timeout.InfiniteTimeSpan && !_hasLimit;
            _hasLimit |= isFirstLimit;
            http = [.. _http];
        }

        try
        {
            if (isFirstLimit)
            {
                _end.CancelAfter(limit);
            }
        }
        catch (ObjectDisposedException)
        {
            return; // It has ended meanwhile.
        }

        RequestClose(http);
        CloseUnneeded();
        EndIfIdle();
    }

    // A stream that is no HTTP/2 connection may belong to a call in either direction, until none runs any more.
    private void CloseUnneeded()
    {
        if (!_lent.HasEnded)
        {
            return; // Which it does once.
        }

        ConnectionContext[] others;
        lock (_gate)
        {
            if (_http.Count > 0)
            {
                return;
            }

            _isOver = true;
            others = [.. _served];
            _unneeded.UnionWith(others);
        }

        RequestClose(others);
    }

    private static void RequestClose(ConnectionContext[] connections)
    {
        foreach (var connection in connections)
        {
            connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose(); // ServedStreamLifetime's, or Kestrel's on which nothing else hangs.
        }
    }

    private void EndIfIdle()
    {
        bool isIdle;
        lock (_gate)
        {
            isIdle = _served.Count == 0 && _lent.HasEnded;
            _isOver |= isIdle;
        }

        if (isIdle)
        {
            End();
        }
    }
}
