using Yamux.Internal;

namespace Yamux;

/// <content>
/// A peer that goes on to send on a stream that this end has closed (<see cref="YamuxOptions.StreamDiscardTimeout"/>). RST makes it stop, but destroys what
/// it was sent and has not read. So it is asked first whether it has all of that, by a ping behind FIN, and given time from its answer.
/// </content>
public sealed partial class YamuxStream
{
    private uint _arrivalPing = PendingPings.NoValue;
    private long _arrivedAt = long.MaxValue; // Not yet.

    /// <summary>The peer has all that this end has sent, FIN too. By the receive loop.</summary>
    internal void OnArrived()
    {
        lock (Gate)
        {
            _arrivedAt = Session.Options.TimeProvider.GetTimestamp();
        }
    }

    // Data has come. True if the peer has had its time.
    private bool HasOverstayedUnsynchronized()
    {
        var options = Session.Options;
        if (options.StreamDiscardTimeout == Timeout.InfiniteTimeSpan || _receive.State != ReceiveState.Discarding || _send.State != SendState.Ended)
        {
            return false;
        }

        if (_arrivalPing == PendingPings.NoValue)
        {
            _arrivalPing = Session.PingBehind(this);
        }

        return options.TimeProvider.GetElapsedTime(_arrivedAt) >= options.StreamDiscardTimeout;
    }

    private YamuxException NewOverstayedException()
        => new(
            YamuxErrorCode.StreamCloseTimeout,
            $"Yamux stream {Id} was closed at this end; its peer went on sending for {Session.Options.StreamDiscardTimeout} after it had all that was sent to it.");

    private void ForgetArrival()
    {
        if (_arrivalPing != PendingPings.NoValue)
        {
            Session.ForgetPing(_arrivalPing);
        }
    }
}
