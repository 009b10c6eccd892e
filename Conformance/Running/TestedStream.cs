using System.Buffers;
using Conformance.Wire;

namespace Conformance.Running;

/// <summary>
/// What is known of one stream: what we sent, what the target answered, and the credit that each has. What the target does
/// is held against the rules that are the same in every case; breaking one fails the case, whatever it is about.
/// </summary>
internal sealed class TestedStream(uint id)
{
    private readonly ArrayBufferWriter<byte> _sent = new();
    private bool _mayEnd;

    public uint Id { get; } = id;

    /// <summary>What we may still send, by what the target has granted. Negative: a case has overdrawn it.</summary>
    public long SendCredit { get; private set; } = Frame.InitialWindow;

    /// <summary>The most that <see cref="SendCredit"/> ever was.</summary>
    public long HighestSendCredit { get; private set; } = Frame.InitialWindow;

    /// <summary>What the target may still send, by what we have granted.</summary>
    public long ReceiveCredit { get; private set; } = Frame.InitialWindow;

    /// <summary>How much of what came we have not granted again. Only while <see cref="GrantsCredit"/>.</summary>
    public uint Consumed { get; set; }

    /// <summary>Whether we grant again what we receive.</summary>
    public bool GrantsCredit { get; set; } = true;

    public long Sent => _sent.WrittenCount;

    public long Received { get; private set; }

    /// <summary>The longest Data frame that came.</summary>
    public long LongestFrame { get; private set; }

    public bool Acknowledged { get; private set; }

    /// <summary>The delta of the frame that acknowledged the stream; null if that was a Data frame.</summary>
    public uint? AckDelta { get; private set; }

    public bool FinReceived { get; private set; }

    /// <summary>The frame that carried the target's FIN.</summary>
    public Frame? FinFrame { get; private set; }

    public bool RstReceived { get; private set; }

    /// <summary>How many frames came.</summary>
    public int Frames { get; private set; }

    /// <summary>How many frames came that only grant credit.</summary>
    public int WindowUpdates { get; private set; }

    public bool IsRefused => RstReceived && !Acknowledged;

    public override string ToString()
        => $"stream {Id}: {(Acknowledged ? "acknowledged" : "not acknowledged")}, {Received} of {Sent} bytes echoed, credit to send {SendCredit}"
            + $"{(FinReceived ? ", FIN" : "")}{(RstReceived ? ", RST" : "")}";

    public void OnSent(Frame frame)
    {
        _mayEnd |= frame.Has(FrameFlags.Fin) || frame.Has(FrameFlags.Rst);
        if (frame.Type == FrameType.WindowUpdate)
        {
            ReceiveCredit += frame.Length;
        }
        else if (frame.Type == FrameType.Data)
        {
            SendCredit -= frame.Length;
            OnPayloadSent(frame.Payload);
        }
    }

    /// <summary>Our side of the connection has ended, and so have all streams.</summary>
    public void OnConnectionEnded() => _mayEnd = true;

    /// <summary>More of a payload whose header was sent alone.</summary>
    public void OnPayloadSent(ReadOnlyMemory<byte> payload) => _sent.Write(payload.Span);

    public void OnReceived(Frame frame)
    {
        Frames++;
        Require(!RstReceived, "nothing for a stream after its RST", frame);
        if (frame.Has(FrameFlags.Syn))
        {
            throw new SpecFailedException("a target that echoes opens no streams", frame.ToString());
        }

        if (frame.Has(FrameFlags.Ack))
        {
            Require(!Acknowledged, "one ACK for each stream", frame);
            Acknowledged = true;
            AckDelta = frame.Type == FrameType.WindowUpdate ? frame.Length : null;
        }

        if (frame.Type == FrameType.Data)
        {
            OnData(frame);
        }
        else
        {
            OnWindowUpdate(frame);
        }

        if (frame.Has(FrameFlags.Fin))
        {
            Require(!FinReceived, "one FIN for each stream", frame);
            Require(_mayEnd, "no FIN before ours, for a target that echoes", frame);
            FinReceived = true;
            FinFrame = frame;
        }

        RstReceived |= frame.Has(FrameFlags.Rst);
    }

    private void OnData(Frame frame)
    {
        Require(!FinReceived || frame.Length == 0, "no Data after FIN", frame);
        Require(frame.Length <= ReceiveCredit, $"Data within the credit, of which {ReceiveCredit} is left", frame);
        Require(Received + frame.Length <= Sent, $"an echo of the {Sent} bytes that were sent", frame);
        var expected = _sent.WrittenSpan.Slice((int)Received, (int)frame.Length);
        var same = expected.CommonPrefixLength(frame.Payload.Span);
        if (same < frame.Length)
        {
            throw new SpecFailedException(
                $"byte 0x{expected[same]:X2} at offset {Received + same} of stream {Id}, as it was sent", $"byte 0x{frame.Payload.Span[same]:X2} in {frame}");
        }

        Received += frame.Length;
        ReceiveCredit -= frame.Length;
        LongestFrame = Math.Max(LongestFrame, frame.Length);
        Consumed += frame.Length;
    }

    private void OnWindowUpdate(Frame frame)
    {
        SendCredit += frame.Length;
        HighestSendCredit = Math.Max(HighestSendCredit, SendCredit);
        Require(SendCredit <= uint.MaxValue, "credit of at most 4294967295", frame);
        if (frame.Flags == FrameFlags.None)
        {
            WindowUpdates++;
        }
    }

    private static void Require(bool holds, string rule, Frame frame)
    {
        if (!holds)
        {
            throw new SpecFailedException(rule, frame.ToString());
        }
    }
}
