using System.Buffers;
using Yamux.Internal;
using Yamux.Protocol;

namespace Yamux;

/// <content>What the peer sends: the receive loop fills a queue, the reader empties it, and what is consumed becomes credit.</content>
public sealed partial class YamuxStream
{
    /// <summary>A frame of the peer's has come. True if its payload, which follows, is wanted.</summary>
    /// <exception cref="YamuxException">The frame breaks the protocol.</exception>
    internal bool OnFrame(FrameHeader header)
    {
        var effects = StreamEffects.None;
        var wanted = false;
        lock (_gate)
        {
            if (_state.Has(StreamState.Failed))
            {
                return false;
            }

            if (IsOutbound && !header.Has(FrameFlags.Rst))
            {
                // Some peers never send an ACK; any frame shows that they have taken the stream, but the one that refuses it.
                effects |= SetUnsynchronized(StreamState.Acknowledged);
            }

            if (header.Has(FrameFlags.Rst))
            {
                effects |= FailUnsynchronized(
                    new YamuxException(YamuxErrorCode.StreamReset, $"Yamux stream {Id} was reset by the peer."), tellPeer: false);
            }
            else if (header.Type == FrameType.WindowUpdate)
            {
                OnCreditUnsynchronized(header.Length);
            }
            else if (header.Length > 0)
            {
                wanted = OnDataUnsynchronized(header.Length);
            }

            if (header.Has(FrameFlags.Fin) && !wanted && !_state.Has(StreamState.Failed))
            {
                effects |= OnFinUnsynchronized();
            }
        }

        Run(effects);
        return wanted;
    }

    /// <summary>
    /// A piece of a wanted payload has come, of <paramref name="expected"/> bytes that its frame still has. True if a reader may
    /// have to be woken, by <see cref="TryWakeReader"/>.
    /// </summary>
    internal bool OnPayload(ReadOnlySpan<byte> piece, int expected)
    {
        lock (_gate)
        {
            if ((_state & (StreamState.Failed | StreamState.InputCompleted)) == 0)
            {
                _input.WriteUnsynchronized(piece, expected);
                return true;
            }

            // Dropped, and credited: a peer that waited for credit might never read what we have written.
            GiveCreditUnsynchronized(_receiveWindow.Consume((uint)piece.Length));
            return false;
        }
    }

    /// <summary>The payload of a frame with FIN has come to its end.</summary>
    internal void OnFinAfterPayload()
    {
        var effects = StreamEffects.None;
        lock (_gate)
        {
            if (!_state.Has(StreamState.Failed))
            {
                effects = OnFinUnsynchronized();
            }
        }

        Run(effects);
    }

    /// <summary>True if a reader waited for what has come. The caller must see to it that <see cref="Reader"/> is executed.</summary>
    internal bool TryWakeReader()
    {
        lock (_gate)
        {
            return _input.TryWakeUnsynchronized();
        }
    }

    /// <summary>Whether the stream is among those to which the receive loop has brought bytes. The loop's own.</summary>
    internal bool IsTouched { get; set; }

    /// <summary>Lets a reader that <see cref="TryWakeReader"/> has woken go on.</summary>
    internal IThreadPoolWorkItem Reader => _input;

    private bool IsInputCompleted => _state.Has(StreamState.InputCompleted);

    private void OnCreditUnsynchronized(uint delta)
    {
        if (!_sendWindow.TryAdd(delta))
        {
            throw YamuxException.Protocol(
                $"stream {Id} had {_sendWindow.Available} bytes of credit; {delta} more exceed {uint.MaxValue}");
        }

        if (delta > 0)
        {
            if (_output.Signal.TrySet())
            {
                Session.RunSoon(_output.Signal);
            }
        }
    }

    private bool OnDataUnsynchronized(uint length)
    {
        var remaining = _receiveWindow.Remaining;
        if (!_receiveWindow.TryReceive(length))
        {
            throw YamuxException.Protocol($"a frame of {length} bytes came on stream {Id}, which had {remaining} bytes of credit");
        }

        if (_state.Has(StreamState.FinReceived))
        {
            return false;
        }

        _input.BeginFrameUnsynchronized();
        return true;
    }

    private StreamEffects OnFinUnsynchronized()
    {
        if (_state.Has(StreamState.FinReceived))
        {
            return StreamEffects.ReportRepeatedFin;
        }

        Session.Writer.CancelCredit(this);
        _input.EndUnsynchronized();
        return SetUnsynchronized(StreamState.FinReceived);
    }

    private void OnInputCompleted()
    {
        StreamEffects effects;
        lock (_gate)
        {
            if (IsInputCompleted)
            {
                return; // What was unread then has become credit already.
            }

            effects = SetUnsynchronized(StreamState.InputCompleted) | StreamEffects.Flush;
            GiveCreditUnsynchronized(_receiveWindow.Consume((uint)_input.CompleteUnsynchronized()));
        }

        Run(effects);
    }
}
