namespace Yamux.Tests.Model;

/// <summary>One session: what its user has done with it, and what has gone over the wire. Guarded as <see cref="StreamSide"/> is.</summary>
internal sealed class SessionSide(Side side)
{
    public Side Side => side;

    // What this side has sent, and of it what the other was handed.
    public uint LastId { get; set; }

    public int GoAwaysSent { get; set; }

    public bool GoAwayDelivered { get; set; }

    public int PingsAsked { get; set; }

    public int PingsSent { get; set; }

    public List<uint> UnansweredPings { get; } = [];

    public int PongsDelivered { get; set; }

    // What the user has done, and what became of the connection. Noted before it is done.
    public bool GoAway { get; set; }

    public Causes Causes { get; set; }

    /// <summary>Whether what it had to send may have been given up.</summary>
    public bool GaveUp { get; set; }

    /// <summary>Whether it was ended while its read loop had work: what it was handed may not have reached a stream.</summary>
    public bool EndedInHaste { get; set; }

    /// <summary>Whether it has ended, or is about to.</summary>
    public bool IsOver => Causes != Causes.None;

    /// <summary>The next stream to be accepted has a greater id.</summary>
    public uint LastAccepted { get; set; }

    public Pending? Accept { get; set; }

    public List<Pending> Opens { get; } = [];

    public List<Pending> Pings { get; } = [];

    public int PingsAnswered { get; set; }

    public Pending? Disposal { get; set; }

    public override string ToString() => $"the {side.ToString().ToLowerInvariant()}";
}
