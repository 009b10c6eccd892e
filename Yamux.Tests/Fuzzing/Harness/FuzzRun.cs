using Microsoft.Extensions.Time.Testing;

namespace Yamux.Tests.Fuzzing;

/// <summary>
/// One session that receives one <see cref="FuzzCase"/>, and an application that accepts, opens, reads, writes, resets and
/// waits at random. Whatever comes, the session goes on or ends with an error of yamux, what it sends is valid, what its
/// streams give is what came, and in the end nothing is left.
/// </summary>
public sealed class FuzzRun
{
    private const int MaxInbound = 64;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly FuzzCase _case;
    private readonly Random _random;
    private readonly FakeTimeProvider _time = new();
    private bool _hasJumped;
    private readonly WarningCounter _log = new();
    private readonly FuzzTransport _transport;
    private readonly ReceivedFrames _received;
    private readonly SentFrames _sent;
    private readonly List<FuzzStream> _streams = [];
    private readonly List<Task> _waiting = [];
    private readonly YamuxSession _session;
    private int _acceptedSyns;
    private int _opened;

    private FuzzRun(FuzzCase input)
    {
        _case = input;
        _random = new Random(input.Choices);
        _transport = new FuzzTransport(input.Wire);
        _received = new ReceivedFrames(input.Wire);
        _sent = new SentFrames(input.IsServer, _received);
        var options = new YamuxOptions { TimeProvider = _time, AcceptBacklog = 32, MaxInboundStreams = MaxInbound };
        _session = YamuxSession.Create(_transport, input.IsServer ? YamuxRole.Server : YamuxRole.Client, options, _log);
    }

    /// <summary>Runs it. Returns how many frames the session took.</summary>
    /// <param name="input">The case.</param>
    /// <param name="isValid">Whether the peer keeps to the protocol, so that the session must not say otherwise.</param>
    /// <exception cref="FuzzFailureException">The session did what it must not do.</exception>
    public static async Task<long> RunAsync(FuzzCase input, bool isValid = false)
    {
        ArgumentNullException.ThrowIfNull(input);
        var run = new FuzzRun(input);
        return await run.RunAsync(isValid);
    }

    private async Task<long> RunAsync(bool isValid)
    {
        await BoundedAsync(_transport.Reader.Started, "The session does not read");
        while (_transport.Reader is { Left: > 0, IsAbandoned: false } reader)
        {
            reader.Give(Math.Min(reader.Left, NextPiece()));
            Look();
            await ActAsync();
            Look();
        }

        End();
        await BoundedAsync(EndedAsync(_session), "The session does not end");
        Look();
        var error = _session.Completion.Exception?.InnerException;
        Check(error);
        FuzzFailureException.Unless(!isValid || error is not YamuxException { ErrorCode: YamuxErrorCode.ProtocolError }, $"A valid peer was refused: {error?.Message}");
        await BoundedAsync(EndStreamsAsync(error), "Something waits that should have ended with its session");
        FuzzFailureException.Unless(_session.StreamCount == 0, $"{_session.StreamCount} streams are left.");

        // A clock that jumps while the session closes, on another thread, is over its patience with a transport.
        FuzzFailureException.Unless(_hasJumped || (_transport.Reader.IsCompleted && _transport.Writer.IsCompleted), "The transport is still held.");
        return _received.Count;
    }

    private static async Task BoundedAsync(Task task, string what)
    {
        try
        {
            await task.WaitAsync(Limit);
        }
        catch (TimeoutException)
        {
            throw new FuzzFailureException($"{what}.");
        }
    }

    private static async Task EndedAsync(YamuxSession session)
        => await session.Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static void Check(Exception? error)
    {
        var code = (error as YamuxException)?.ErrorCode;
        FuzzFailureException.Unless(
            error is null || code is YamuxErrorCode.ProtocolError or YamuxErrorCode.RemoteProtocolError
                or YamuxErrorCode.RemoteInternalError or YamuxErrorCode.ConnectionLost
                or YamuxErrorCode.KeepAliveTimeout or YamuxErrorCode.ConnectionWriteTimeout,
            $"The session ended with what no peer may cause: {error}");
    }

    private int NextPiece() => _case.Fragments switch
    {
        FuzzCase.Bytewise => 1,
        FuzzCase.Small => _random.Next(1, 40),
        FuzzCase.Large => _random.Next(1, 4000),
        _ => int.MaxValue,
    };

    private void Look()
    {
        _received.ReadTo(_transport.Reader.Consumed);
        _sent.Add(_transport.Writer.Take());
        FuzzFailureException.Unless(_session.StreamCount <= MaxInbound + _opened, $"{_session.StreamCount} streams are open.");
        FuzzFailureException.Unless(_log.Warning is null, $"The session warns: {_log.Warning}");
        FuzzFailureException.Unless(!_log.IsFlooded, "The session floods its log.");
    }

    private async Task ActAsync()
    {
        if (_case.HasSlowTransport)
        {
            if (_random.Next(3) == 0)
            {
                _transport.Writer.Hold();
            }
            else
            {
                _transport.Writer.Release();
            }
        }

        if (_received.Syns > _acceptedSyns && _random.Next(4) != 0)
        {
            await AcceptAsync();
        }

        switch (_random.Next(200))
        {
            case < 8 when _opened < 30:
                await OpenAsync();
                break;
            case < 12:
                _waiting.Add(_session.PingAsync().AsTask());
                break;
            case 13 when _random.Next(10) == 0:
                await _session.GoAwayAsync();
                break;
            case 14 when _random.Next(4) == 0:
                _time.Advance(TimeSpan.FromSeconds(_random.Next(100)));
                _hasJumped = true;
                break;
        }

        for (var i = Math.Min(_streams.Count, 3); i > 0; i--)
        {
            try
            {
                _streams[_random.Next(_streams.Count)].Act(_random);
            }
            catch (YamuxException)
            {
                // It has failed; so do its reader and its writer, which is looked at in the end.
            }
        }
    }

    // As many as there are. None waits for the next one, which would come on another thread.
    private async Task AcceptAsync()
    {
        while (_acceptedSyns < _received.Syns)
        {
            using var enough = new CancellationTokenSource();
            var accept = _session.AcceptStreamAsync(enough.Token).AsTask();
            if (!accept.IsCompleted)
            {
                _acceptedSyns = _received.Syns; // Refused, or reset while they waited.
                await enough.CancelAsync();
                await ((Task)accept).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            if (!accept.IsCompletedSuccessfully || await accept is not { } stream)
            {
                return;
            }

            _acceptedSyns++;
            _streams.Add(new FuzzStream(stream, _received[stream.Id]));
        }
    }

    private async Task OpenAsync()
    {
        try
        {
            var stream = await _session.OpenStreamAsync();
            _opened++;
            _received[stream.Id].IsOpen = true;
            _streams.Add(new FuzzStream(stream, _received[stream.Id]));
        }
        catch (YamuxException)
        {
            // The session has ended, or one of the two has sent GoAway.
        }
    }

    private void End()
    {
        _transport.Writer.Release();
        switch (_random.Next(8))
        {
            case 0:
                _session.Abort();
                break;
            case 1:
                _waiting.Add(_session.DisposeAsync().AsTask());
                _transport.Reader.End(); // What a peer does that has read GoAway, if it does not answer the ping.
                break;
            default:
                _transport.Reader.End();
                break;
        }
    }

    private async Task EndStreamsAsync(Exception? error)
    {
        foreach (var task in _waiting)
        {
            try
            {
                await task;
            }
            catch (YamuxException)
            {
            }
        }

        // The session may have ended in the middle of a piece, whose rest it passes over; but not at the end of its input.
        var expectAll = error is null or YamuxException { ErrorCode: YamuxErrorCode.ConnectionLost };
        foreach (var stream in _streams)
        {
            await stream.EndAsync(expectAll);
        }
    }
}
