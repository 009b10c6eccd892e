using System.Diagnostics.CodeAnalysis;

namespace Yamux.Internal;

/// <summary>The pings that wait for their answer, by the value that the answer will carry. Thread safe.</summary>
internal sealed class PendingPings(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<uint, Ping> _pings = [];
    private uint _lastValue;
    private Func<Exception>? _failure;

    /// <summary>A value that no waiting ping has.</summary>
    public uint NextValue()
    {
        lock (_gate)
        {
            return NextValueUnsynchronized();
        }
    }

    /// <summary>Adds a ping. False if the session has ended; the ping is faulted then.</summary>
    public bool TryAdd(out uint value, out Task<TimeSpan> answer)
    {
        var ping = new Ping(time.GetTimestamp());
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

    /// <summary>The answer with this value has come. An answer that nobody waits for is passed over: some peers send them.</summary>
    public void Complete(uint value)
    {
        if (TryRemove(value, out var ping))
        {
            ping.SetResult(time.GetElapsedTime(ping.SentAt));
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

    /// <summary>Fails every ping that waits, and every one to come.</summary>
    public void Fail(Func<Exception> failure)
    {
        Ping[] pings;
        lock (_gate)
        {
            _failure ??= failure;
            pings = [.. _pings.Values];
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

    private uint NextValueUnsynchronized()
    {
        do
        {
            _lastValue++;
        }
        while (_pings.ContainsKey(_lastValue));
        return _lastValue;
    }

    private sealed class Ping(long sentAt) : TaskCompletionSource<TimeSpan>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public long SentAt => sentAt;
    }
}
