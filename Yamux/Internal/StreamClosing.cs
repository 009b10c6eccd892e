namespace Yamux.Internal;

/// <summary>
/// A stream with which this end is done, and whose peer is not: how long the peer may take to close its side, and to stop sending. The stream's gate
/// guards it.
/// </summary>
internal sealed class StreamClosing(YamuxStream stream)
{
    private LinkedListNode<Deadline>? _deadline;
    private SendState _since;
    private long _doneAt;
    private uint _arrivalPing = PendingPings.NoValue;
    private long _arrivedAt = long.MaxValue; // Not yet.

    private YamuxOptions Options => stream.Session.Options;

    public bool Awaits(LinkedListNode<Deadline> deadline) => deadline == _deadline;

    /// <summary>The peer has its time from when this end was done with the stream, and anew from its FIN.</summary>
    public void OnSent(SendState state)
    {
        if (state > _since)
        {
            _since = state;
            _doneAt = Options.TimeProvider.GetTimestamp();
            Restart();
        }
    }

    /// <summary>What is drained has made progress. The peer has its time anew, but not for ever.</summary>
    public void Restart()
    {
        if (Options.StreamDrainTimeout == Timeout.InfiniteTimeSpan || Options.TimeProvider.GetElapsedTime(_doneAt) <= Options.StreamDrainTimeout)
        {
            stream.Session.Timer.Remove(_deadline);
            _deadline = stream.Session.Timer.AddClose(stream);
        }
    }

    /// <summary>
    /// Data has come. True if the peer has had its time to stop (<see cref="YamuxOptions.StreamDiscardTimeout"/>). RST makes it stop, but destroys what it was
    /// sent and has not read. So it is asked first whether it has all of that, by a ping behind FIN, and given time from its answer. By the receive loop.
    /// </summary>
    public bool IsOverstayed()
    {
        if (Options.StreamDiscardTimeout == Timeout.InfiniteTimeSpan || _since != SendState.Ended)
        {
            return false;
        }

        if (_arrivalPing == PendingPings.NoValue)
        {
            _arrivalPing = stream.Session.PingBehind(stream);
        }

        return Options.TimeProvider.GetElapsedTime(_arrivedAt) >= Options.StreamDiscardTimeout;
    }

    /// <summary>The peer has all that this end has sent, FIN too. By the receive loop.</summary>
    public void OnArrived() => _arrivedAt = Options.TimeProvider.GetTimestamp();

    /// <summary>The peer has closed its side, or the stream has failed.</summary>
    public void End()
    {
        stream.Session.Timer.Remove(_deadline);
        _deadline = null;
        if (_arrivalPing != PendingPings.NoValue)
        {
            stream.Session.ForgetPing(_arrivalPing);
        }
    }
}
