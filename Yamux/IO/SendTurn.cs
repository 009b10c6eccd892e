namespace Yamux.IO;

/// <summary>Where the sender who waits with an <see cref="AsyncSignal"/> stands. Guarded by the gate of its <see cref="FrameWriter"/>.</summary>
internal struct SendTurn
{
    /// <summary>Its place among those who wait, kept for the next time.</summary>
    public LinkedListNode<AsyncSignal>? Node { get; set; }

    /// <summary>How many bytes it wants to append; 0 if it does not wait for its turn, and has none. Its sender alone changes that.</summary>
    public int Wanted { get; set; }

    /// <summary>The room that was promised to it; 0 if it is not its turn.</summary>
    public int Promised { get; set; }

    /// <summary>The writer's round in which its stream has last appended something small, and how much in that round.</summary>
    public int Round { get; set; }

    /// <inheritdoc cref="Round"/>
    public int BytesInRound { get; set; }

    /// <summary>Whether others may wait for it. Its sender may ask without the gate.</summary>
    public readonly bool IsTaken => Wanted > 0;
}
