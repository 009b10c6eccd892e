namespace Backchannel;

/// <summary>What a replica answers to the header of a stream, in one byte.</summary>
internal enum LinkAnswer : byte
{
    /// <summary>The agent is here: what follows is between it and the caller.</summary>
    Here = 1,

    /// <summary>The same, and its connection has TLS.</summary>
    HereEncrypted = 2,

    /// <summary>It is not attached here, any more at least.</summary>
    NotHere = 3,

    /// <summary>It is about to go, and takes no more calls here.</summary>
    Draining = 4,

    /// <summary>This replica may have been taken for dead, and does not know yet.</summary>
    Fenced = 5,

    /// <summary>The agent has as many streams of other replicas as it may.</summary>
    TooMany = 6,

    /// <summary>This is another replica than the one that was asked for.</summary>
    OtherReplica = 7,

    /// <summary>The version of the header is newer than what this replica speaks.</summary>
    UnknownVersion = 8,
}
