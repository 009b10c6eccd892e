using Yamux.Internal;

namespace Yamux;

/// <content>How a stream's state changes, in one place, and what follows from each change.</content>
public sealed partial class YamuxStream
{
    private StreamEffects FailUnsynchronized(YamuxException failure, bool tellPeer)
    {
        if (_state.Has(StreamState.Failed))
        {
            return failure.ErrorCode == YamuxErrorCode.StreamAborted ? SetUnsynchronized(StreamState.LetGo) : StreamEffects.None;
        }

        // What had ended well stays so, unless this end itself wants no more of it.
        var endedWell = _state.Has(StreamState.FinReceived) && failure.ErrorCode != YamuxErrorCode.StreamAborted;
        tellPeer &= !_state.Has(StreamState.Removed);
        _failure = failure;
        var effects = SetUnsynchronized(StreamState.Failed) | SetUnsynchronized(StreamState.Removed);
        _input.EndUnsynchronized(endedWell ? null : failure);
        _output.Wake();
        Session.Writer.CancelCredit(this, reset: tellPeer);
        return effects | StreamEffects.Flush;
    }

    // The only place where the state changes: each effect is asked for by exactly one transition.
    private StreamEffects SetUnsynchronized(StreamState bit)
    {
        var old = _state;
        _state |= bit;
        var effects = StreamEffects.None;

        if (BothUnsynchronized(StreamState.FinSent, StreamState.FinReceived))
        {
            _state |= StreamState.Removed;
        }

        const StreamState NoLongerOpening = StreamState.Acknowledged | StreamState.Removed;
        if ((old & NoLongerOpening) == 0 && (_state & NoLongerOpening) != 0)
        {
            Session.Timer.Remove(_openDeadline);
            _openDeadline = null;
            if (IsOutbound)
            {
                effects |= StreamEffects.ReleaseOpenSlot;
            }
        }

        if (((old ^ _state) & StreamState.Removed) != 0)
        {
            Session.Timer.Remove(_closeDeadline);
            _closeDeadline = null;
            effects |= StreamEffects.Remove;
        }
        else if (bit is StreamState.InputCompleted or StreamState.OutputCompleted or StreamState.FinSent && old != _state)
        {
            RestartCloseDeadlineUnsynchronized();
        }

        if (!_state.Has(StreamState.WindowReleased) && HoldsNoWindowUnsynchronized())
        {
            _state |= StreamState.WindowReleased;
            effects |= StreamEffects.ReleaseWindow;
        }

        return effects;
    }

    // What had arrived before the peer's FIN or RST can still be read, so it is held until the reader has consumed all or has
    // gone. A peer that opens, fills and ends stream after stream would else make us hold any number of windows.
    private bool HoldsNoWindowUnsynchronized()
        => _state.Has(StreamState.Removed)
            && ((_state & (StreamState.LetGo | StreamState.InputCompleted)) != 0 || _failure is { ErrorCode: not YamuxErrorCode.StreamReset });

    // The peer has StreamCloseTimeout to close a stream that we have closed, from the last thing that we had to say.
    private void RestartCloseDeadlineUnsynchronized()
    {
        if (!_state.Has(StreamState.Removed) && BothUnsynchronized(StreamState.InputCompleted, StreamState.OutputCompleted))
        {
            Session.Timer.Remove(_closeDeadline);
            _closeDeadline = Session.Timer.AddClose(this);
        }
    }

    private bool BothUnsynchronized(StreamState first, StreamState second) => _state.Has(first | second);

    private void Run(StreamEffects effects)
    {
        if (effects == StreamEffects.None)
        {
            return;
        }

        if (effects.Has(StreamEffects.ReportRepeatedFin))
        {
            Session.LogIgnored(Id, "a second FIN");
        }

        if (effects.Has(StreamEffects.Flush))
        {
            Session.Writer.FlushSoon();
        }

        if (effects.Has(StreamEffects.ReleaseOpenSlot))
        {
            Session.ReleaseOpenSlot();
            QueueAcknowledged();
        }

        if (effects.Has(StreamEffects.Remove))
        {
            Session.OnStreamRemoved(this);
        }

        if (effects.Has(StreamEffects.ReleaseWindow))
        {
            Session.ReleaseWindow(this);
        }

        if (effects.Has(StreamEffects.Remove))
        {
            CancelClosedToken();
        }
    }

    // On a thread of the pool's: we may be on the receive loop, and to complete a task may run a scheduler's code.
    private void QueueAcknowledged()
    {
        lock (_gate)
        {
            if (_acknowledged is null)
            {
                return;
            }
        }

        ThreadPool.UnsafeQueueUserWorkItem(static stream => stream.CompleteAcknowledged(), this, preferLocal: false);
    }

    // There is an outcome, which does not change any more.
    private void CompleteAcknowledged()
    {
        if (_state.Has(StreamState.Acknowledged))
        {
            _acknowledged!.TrySetResult();
        }
        else
        {
            _acknowledged!.TrySetException(_failure!.ForCaller());
            _ = _acknowledged.Task.Exception; // Observed: whoever does not look at it does not care.
        }
    }

    private void CancelClosedToken()
    {
        lock (_gate)
        {
            if (_closed is null || _closed.IsCancellationRequested)
            {
                return;
            }
        }

        // On a thread of its own: callbacks are foreign code, and we may be on the receive loop.
        ThreadPool.UnsafeQueueUserWorkItem(
            static stream =>
            {
                try
                {
                    stream._closed!.Cancel();
                }
                catch (AggregateException error)
                {
                    YamuxLog.ClosedCallbackFailed(stream.Session.Logger, stream.Id, error);
                }
            },
            this,
            preferLocal: false);
    }
}
