namespace Benchmarks.Soak.Sessions;

/// <summary>The ways in which a pair of sessions comes to its end.</summary>
internal enum PairEnding
{
    /// <summary>One end sends GoAway, all streams run to their ends, then both ends are disposed.</summary>
    Drain,

    DisposeOne,

    DisposeBoth,

    AbortOne,

    AbortOneWithReason,

    /// <summary>The connection is reset under the sessions.</summary>
    KillSocket,
}
