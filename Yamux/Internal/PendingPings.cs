using System.Diagnostics.CodeAnalysis;

namespace Yamux.Internal;

/// <summary>The pings that wait for their answer, by the value that the answer will carry. Thread safe; its lock is a leaf.</summary>
internal sealed class PendingPings(TimeProvider time)
{
    /// <summary>The value of no ping here: who sends it asks nothing but that something comes back.</summary>
    public const uint NoValue = 0;

    private readonly Lock _gate = new();
    private readonly Dictionary<uint, Ping> _pings = [];
    private readonly RoundTripTime _roundTrip = new(time);
    private uint _lastValue;
    private Func<Exception>? _failure;

    /// <summary>The shortest round trip there was, in ticks of the clock; 0 while none is known.</summary>
    public long RoundTrip => _roundTrip.Shortest;

    /// <summary>The value of a ping that is sent now, and whose answer nobody waits for. It measures the round trip.</summary>
    public uint NextValue()
    {
        lock (_gate)
        {
            return NextMeasureUnsynchronized();
        }
    }

    /// <summary>The same, if another measure of the round trip is due. False: no ping need be sent.</summary>
    public bool TryNextMeasure(out uint value)
    {
        lock (_gate)
        {
            var due = _failure is null && _roundTrip.IsDue;
            value = due ? NextMeasureUnsynchronized() : 0;
            return due;
        }
    }

    /// <summary>Adds a ping. False if the session has ended; the ping is faulted then.</summary>
    public bool TryAdd(out uint value, out Task<TimeSpan> answer)
    {
        var ping = new Ping(time.GetTimestamp(), stream: null);
        answer = ping.Task;
        lock (_gate)
        {
            value = NextValueUnsynchronized();
            if (_failure is null)
            {
                _pings.Add(value, ping);
                return true;
            }
        }

        ping.SetException(_failure());
        return false;
    }

    /// <summary>Adds a ping whose answer tells a stream that all it has sent has arrived. Returns its value.</summary>
    public uint Add(YamuxStream stream)
    {
        lock (_gate)
        {
            var value = NextValueUnsynchronized();
            if (_failure is null)
            {
                _pings.Add(value, new Ping(time.GetTimestamp(), stream));
            }

            return value;
        }
    }

    /// <summary>
    /// The answer with this value has come. Returns the stream that asked, if one did. An answer that nobody waits for is passed over: some peers
    /// send them.
    /// </summary>
    public YamuxStream? Complete(uint value)
    {
        Ping? ping;
        lock (_gate)
        {
            _roundTrip.OnAnswer(value);
            _pings.Remove(value, out ping);
        }

        ping?.SetResult(time.GetElapsedTime(ping.SentAt));
        return ping?.Stream;
    }

    /// <summary>The stream that asked has ended.</summary>
    public void Forget(uint value)
    {
        lock (_gate)
        {
            _pings.Remove(value);
        }
    }

    /// <summary>Nobody waits for this answer any more.</summary>
    public void Cancel(uint value, CancellationToken cancellationToken)
    {
        if (TryRemove(value, out var ping))
        {
            ping.SetCanceled(cancellationToken);
        }
    }

    /// <summary>The ping with this value fails, if it still waits.</summary>
    public void Fail(uint value, Exception failure)
    {
        if (TryRemove(value, out var ping))
        {
            ping.SetException(failure);
        }
    }

    /// <summary>Fails every ping that waits, and every one to come.</summary>
    public void Fail(Func<Exception> failure)
    {
        Ping[] pings;
        lock (_gate)
        {
            _failure ??= failure;
            pings = [.. _pings.Values.Where(ping => ping.Stream is null)];
            _pings.Clear();
        }

        foreach (var ping in pings)
        {
            ping.SetException(failure());
        }
    }

    private bool TryRemove(uint value, [NotNullWhen(true)] out Ping? ping)
    {
        lock (_gate)
        {
            return _pings.Remove(value, out ping);
        }
    }

    private uint NextMeasureUnsynchronized()
    {
        var value = NextValueUnsynchronized();
        _roundTrip.OnSent(value);
        return value;
    }

    private uint NextValueUnsynchronized()
    {
        do
        {
            _lastValue++;
        }
        while (_lastValue == NoValue || _pings.ContainsKey(_lastValue));
        return _lastValue;
    }

    private sealed class Ping(long sentAt, YamuxStream? stream) : TaskCompletionSource<TimeSpan>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public long SentAt => sentAt;

        public YamuxStream? Stream => stream;
    }
}
