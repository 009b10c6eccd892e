using System.IO.Pipelines;

namespace Yamux.Tests.Model;

/// <summary>
/// One direction of the connection: what its sender flushes waits here until a step delivers it, so many bytes at a time.
/// The receiver's read loop runs on the thread that delivers, and has dealt with the bytes when that returns.
/// </summary>
internal sealed class Wire
{
    private readonly Ledger _ledger;
    private readonly Side _sender;
    private readonly Queue<(Frame Frame, long Start)> _frames = new();
    private readonly byte[] _header = new byte[Frame.HeaderSize];
    private Frame? _appending;
    private long _frameStart;
    private long _payloadLeft;
    private bool _headerSeen;
    private long _payloadSeen;

    public Wire(Ledger ledger, Side sender)
    {
        _ledger = ledger;
        _sender = sender;
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
        Writer = new WireWriter(this, ledger, pipe.Writer);
        Reader = new WireReader(this, ledger, pipe.Reader);
    }

    public WireWriter Writer { get; }

    public WireReader Reader { get; }

    // Guarded by the ledger's gate: so many bytes since the beginning.
    public long Appended { get; private set; }

    public long Flushed { get; set; }

    public long Delivered { get; private set; }

    public long Undelivered => Writer.Error is null && !IsCut ? Flushed - Delivered : 0;

    /// <summary>Whether the connection was lost, and with it what was not delivered.</summary>
    public bool IsCut { get; private set; }

    /// <summary>Whether there is an end, which the receiver has not been shown yet.</summary>
    public bool EndWaits => (Writer.IsCompleted || IsCut) && Undelivered == 0 && !Reader.IsEnded;

    /// <summary>The sender appends bytes. They are in place by now.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        lock (_ledger.Gate)
        {
            while (!bytes.IsEmpty)
            {
                var count = _appending is null
                    ? AppendHeaderUnsynchronized(bytes)
                    : AppendPayloadUnsynchronized(bytes);
                bytes = bytes[count..];
            }
        }
    }

    /// <summary>
    /// Hands the receiver up to so many bytes, or the end when there are none and there is one. Done meanwhile, it may be
    /// that the receiver ends of itself at the same time.
    /// </summary>
    public void Deliver(long count, bool meanwhile = false)
    {
        lock (_ledger.Gate)
        {
            count = Math.Min(count, Undelivered);
            if (count > 0)
            {
                Delivered += count;
                NoteDeliveryUnsynchronized();
            }
            else if (EndWaits)
            {
                EndUnsynchronized(meanwhile);
            }
            else
            {
                return;
            }
        }

        Reader.Continue();
    }

    /// <summary>Cuts the connection: what was not delivered is lost, and the sender's writes fail.</summary>
    public void Cut(bool clean)
    {
        lock (_ledger.Gate)
        {
            IsCut = true;
            Reader.Error = clean ? null : new IOException("The connection was cut.");
        }

        Writer.Break();
    }

    private int AppendHeaderUnsynchronized(ReadOnlySpan<byte> bytes)
    {
        var have = (int)(Appended - _frameStart);
        var count = Math.Min(bytes.Length, Frame.HeaderSize - have);
        bytes[..count].CopyTo(_header.AsSpan(have));
        Appended += count;
        if (have + count == Frame.HeaderSize)
        {
            var frame = Frame.Parse(_header);
            _frames.Enqueue((frame, _frameStart));
            _ledger.OnSent(_sender, frame);
            _payloadLeft = PayloadOf(frame);
            _appending = frame;
            EndFrameUnsynchronized();
        }

        return count;
    }

    private int AppendPayloadUnsynchronized(ReadOnlySpan<byte> bytes)
    {
        var count = (int)Math.Min(bytes.Length, _payloadLeft);
        _ledger.OnPayloadSent(_sender, _appending!.StreamId, bytes[..count]);
        Appended += count;
        _payloadLeft -= count;
        EndFrameUnsynchronized();
        return count;
    }

    private void EndFrameUnsynchronized()
    {
        if (_payloadLeft == 0)
        {
            _appending = null;
            _frameStart = Appended;
        }
    }

    private void NoteDeliveryUnsynchronized()
    {
        while (_frames.TryPeek(out var next) && Delivered >= next.Start + Frame.HeaderSize)
        {
            if (!_headerSeen)
            {
                _headerSeen = true;
                _payloadSeen = 0;
                _ledger.OnDelivered(_sender, next.Frame);
            }

            var payload = PayloadOf(next.Frame);
            var seen = Math.Min(Delivered - next.Start - Frame.HeaderSize, payload);
            if (seen > _payloadSeen)
            {
                _ledger.OnPayloadDelivered(_sender, next.Frame.StreamId, seen - _payloadSeen);
                _payloadSeen = seen;
            }

            if (seen < payload)
            {
                return;
            }

            _frames.Dequeue();
            _headerSeen = false;
        }
    }

    private void EndUnsynchronized(bool meanwhile)
    {
        Reader.Error ??= Writer.Error;
        Reader.IsEnded = true;
        var boundary = _frames.TryPeek(out var next) ? next.Start : _frameStart;
        var receiver = _ledger[_sender == Side.Client ? Side.Server : Side.Client];
        if (!receiver.IsOver || meanwhile)
        {
            receiver.Causes |= Reader.Error is null && Delivered == boundary ? Causes.Ended : Causes.Failed;
        }
    }

    private static long PayloadOf(Frame frame) => frame.Kind == FrameKind.Data ? frame.Length : 0;
}
