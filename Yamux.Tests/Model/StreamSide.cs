namespace Yamux.Tests.Model;

/// <summary>
/// One side of one stream: what its user has done with it, and what has gone over the wire. The ledger's gate guards what
/// the wire changes; the rest belongs to the one who runs the steps.
/// </summary>
internal sealed class StreamSide(StreamModel model, Side side)
{
    private const int InitialWindow = 262_144;

    public StreamModel Model => model;

    public Side Side => side;

    public StreamSide Peer => model[side == Side.Client ? Side.Server : Side.Client];

    public bool IsOpener => model.Opener == side;

    /// <summary>The engine's stream; null while this side has none, for it has not accepted it, or not been told of it.</summary>
    public YamuxStream? Stream { get; set; }

    public CancellationToken? Closed { get; set; }

    // What this side has sent.
    public long Sent { get; set; }

    public long Granted { get; set; } = InitialWindow;

    public bool SynSent { get; set; }

    public bool AckSent { get; set; }

    public bool FinSent { get; set; }

    public bool RstSent { get; set; }

    // What of it the other side was handed; of what came after its session had ended nothing counts.
    public long Delivered { get; set; }

    public bool SynDelivered { get; set; }

    public bool AnyDelivered { get; set; }

    public bool FinDelivered { get; set; }

    public bool FinDeliveredInTime { get; set; }

    /// <summary>The other side's FIN was taken in, and nothing was being written then or since.</summary>
    public bool PeerFinSettled { get; set; }

    public bool RstDelivered { get; set; }

    /// <summary>How much this side may send, as it has been told.</summary>
    public long Credit { get; set; } = InitialWindow;

    // What the user has done. Noted before it is done.
    public long Written { get; set; }

    public long Consumed { get; set; }

    public long Examined { get; set; }

    /// <summary>The most that the window may have been exceeded for a reader that examined all of it and asked for more.</summary>
    public long Loan { get; set; }

    public bool OutputClosed { get; set; }

    public bool InputClosed { get; set; }

    public bool Aborted { get; set; }

    /// <summary>Whether the peer may be told of the abort, or must be.</summary>
    public bool MayReset { get; set; }

    public bool MustReset { get; set; }

    /// <summary>
    /// How many reads, or flushes, may end cancelled, and whether one must. They are not the same: two cancellations end
    /// one read that waits for both, and two reads if the first has ended by then, whether that was looked at or not.
    /// </summary>
    public int CancelReadsAsked { get; set; }

    public bool CancelReadDue { get; set; }

    public int CancelFlushesAsked { get; set; }

    public bool CancelFlushDue { get; set; }

    // What the user has been told.
    public long Flushed { get; set; }

    public bool WriteFailed { get; set; }

    /// <summary>How much it was shown, of what it may not have consumed.</summary>
    public long Shown { get; set; }

    public bool ReadEnded { get; set; }

    public Pending? Read { get; set; }

    public Pending? Flush { get; set; }

    public Pending? Drain { get; set; }

    public bool IsRemoved => Aborted || RstSent || Peer.RstDelivered || (FinSent && Peer.FinDelivered);

    /// <summary>How many of the peer's bytes this side's user has done with, at the most.</summary>
    public long ConsumedAtMost => InputClosed ? Math.Max(Consumed, Peer.Delivered) : Consumed;

    public override string ToString() => $"the {side.ToString().ToLowerInvariant()}'s stream {model.Id}";
}
