using System.Buffers;
using System.Runtime.CompilerServices;
using Yamux.Internal;
using Yamux.IO;
using Yamux.Protocol;

namespace Yamux;

/// <content>What is sent to the peer: credit becomes Data frames; the end becomes FIN.</content>
public sealed partial class YamuxStream
{
    /// <summary>Writes bytes of the caller's, without a copy of our own, behind those that wait in <see cref="Output"/>.</summary>
    internal ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        => _output.WriteThroughAsync(new ReadOnlySequence<byte>(bytes), cancellationToken);

    /// <summary>The same of bytes in pieces, which leave together.</summary>
    internal ValueTask WriteAsync(ReadOnlySequence<byte> bytes, CancellationToken cancellationToken) => _output.WriteThroughAsync(bytes, cancellationToken);

    /// <summary>Whether the stream or its session has failed, or it was aborted.</summary>
    internal bool HasFailed
    {
        get
        {
            lock (_gate)
            {
                return _state.Has(StreamState.Failed);
            }
        }
    }

    /// <exception cref="YamuxException">The stream or its session has failed, as a write would tell.</exception>
    internal void ThrowIfFailed()
    {
        lock (_gate)
        {
            ThrowIfFailedUnsynchronized();
        }
    }

    // Sends as much as credit and the session allow now. True if it was all; else the output's signal tells when to go on.
    private bool TrySend(ref ReadOnlySequence<byte> rest)
    {
        while (!rest.IsEmpty)
        {
            uint count;
            AppendResult result;
            lock (_gate)
            {
                ThrowIfFailedUnsynchronized();
                count = (uint)Math.Min(Math.Min(rest.Length, _sendWindow.Available), FrameWriter.MaxFramePayload);
                if (count == 0)
                {
                    return false;
                }

                result = Session.Writer.TryAppendData(Id, rest.Slice(0, count), _output.Signal);
                if (result == AppendResult.Appended)
                {
                    _sendWindow.Take(count);
                }

                if (_state.Has(StreamState.OutputCompleted))
                {
                    RestartCloseDeadlineUnsynchronized(); // The drain makes progress, or waits for others: not for the peer.
                }
            }

            if (result == AppendResult.Blocked)
            {
                return false;
            }

            if (result == AppendResult.Stopped)
            {
                throw Session.NewEndedException();
            }

            Session.Writer.FlushData(soon: FlushesSoon);
            rest = rest.Slice(count);
        }

        return true;
    }

    private void ThrowIfFailedUnsynchronized()
    {
        if (_state.Has(StreamState.Failed))
        {
            throw (_failure ?? Session.NewEndedException()).ForCaller();
        }
    }

    // Nothing is left to write: FIN, once.
    private void SendFin()
    {
        var effects = StreamEffects.None;
        lock (_gate)
        {
            if ((_state & (StreamState.Failed | StreamState.FinSent)) == 0)
            {
                Session.Writer.AppendControl(new FrameHeader(FrameType.WindowUpdate, FrameFlags.Fin, Id, 0));
                effects = SetUnsynchronized(StreamState.FinSent) | StreamEffects.Flush;
            }
        }

        Run(effects);
    }

    private void OnOutputCompleted()
    {
        StreamEffects effects;
        lock (_gate)
        {
            effects = SetUnsynchronized(StreamState.OutputCompleted);
        }

        Run(effects);
    }
}
