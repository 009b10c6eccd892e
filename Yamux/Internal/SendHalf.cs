using System.Buffers;
using Yamux.FlowControl;
using Yamux.IO;
using Yamux.Protocol;

namespace Yamux.Internal;

/// <summary>
/// The sending half of a stream: what <see cref="StreamWriter"/> gives it becomes Data frames as credit comes, and the end FIN. The
/// stream's gate guards all of it, but for what says otherwise.
/// </summary>
internal sealed class SendHalf
{
    private SendWindow _window = new(FrameHeader.InitialWindow);
    private Outcome _closed;

    public SendHalf(YamuxStream stream)
    {
        Stream = stream;
        Writer = new StreamWriter(this);
    }

    public YamuxStream Stream { get; }

    public StreamWriter Writer { get; }

    /// <summary>Set when there may be something to do: credit, room in the session, a failure, a cancellation. Needs no gate.</summary>
    public AsyncSignal Signal { get; } = new();

    public SendState State { get; private set; }

    /// <summary>As <see cref="YamuxStream.WritesClosed"/>.</summary>
    public Task Closed => _closed.Task;

    /// <summary>Credit has come. True if a writer waited for it; the caller must see to it that <see cref="Signal"/> is executed.</summary>
    /// <exception cref="YamuxException">It is more than there can be.</exception>
    public bool OnCredit(uint delta)
    {
        if (!_window.TryAdd(delta))
        {
            throw YamuxException.Protocol($"stream {Stream.Id} had {_window.Available} bytes of credit; {delta} more exceed {uint.MaxValue}");
        }

        return delta > 0 && Signal.TrySet();
    }

    /// <summary>
    /// Sends as much as credit and the session allow now, and with <paramref name="last"/> FIN in the same write. If it was not all,
    /// <see cref="Signal"/> tells when to go on. Takes the gate itself, for each frame, so that the read loop need not wait long for it.
    /// </summary>
    /// <returns>What keeps the rest back.</returns>
    /// <exception cref="YamuxException">The stream or its session has failed.</exception>
    public SendWait TrySend(ref ReadOnlySequence<byte> rest, bool last = false)
    {
        while (!rest.IsEmpty || last)
        {
            var change = default(StreamChange);
            lock (Stream.Gate)
            {
                Stream.ThrowIfFailedUnsynchronized();
                var count = (uint)Math.Min(Math.Min(rest.Length, _window.Available), Stream.Session.Writer.MaxPayload);
                if (count > 0)
                {
                    if (last)
                    {
                        Stream.OnDrained();
                    }

                    switch (Stream.Session.Writer.TryAppendData(Stream.Id, rest.Slice(0, count), Signal))
                    {
                        case AppendResult.Blocked:
                            return SendWait.Transport;
                        case AppendResult.Stopped:
                            throw Stream.Session.NewEndedException();
                    }

                    _window.Take(count);
                    rest = rest.Slice(count);
                }
                else if (!rest.IsEmpty)
                {
                    return SendWait.Credit;
                }

                if (last && rest.IsEmpty)
                {
                    last = false;
                    End();
                    change = Stream.Settle();
                }
            }

            Stream.Session.Writer.FlushData(soon: Stream.CoalesceWrites);
            Stream.Apply(change);
        }

        return SendWait.None;
    }

    /// <summary>Nothing more will be written. FIN follows what was.</summary>
    public void Complete()
    {
        if (State == SendState.Open)
        {
            State = SendState.Draining;
        }
    }

    /// <summary>Nothing more can be sent. Whoever waits goes on, and finds out.</summary>
    public void Fail(YamuxException failure)
    {
        if (State != SendState.Ended)
        {
            State = SendState.Failed;
            _closed.Set(failure);
            Signal.Set();
        }
    }

    private void End()
    {
        if (State < SendState.Ended)
        {
            Stream.Session.Writer.AppendBehind(Stream.Id, FrameHeader.Window(FrameFlags.Fin, Stream.Id));
            State = SendState.Ended;
            _closed.Set();
        }
    }
}
