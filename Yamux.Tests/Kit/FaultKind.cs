namespace Yamux.Tests.Kit;

/// <summary>What a <see cref="FaultyTransport"/> does from the place of its fault on.</summary>
public enum FaultKind
{
    /// <summary>It throws.</summary>
    Fail,

    /// <summary>It ends: nothing more comes, or nothing more is taken.</summary>
    End,

    /// <summary>It neither gives nor takes another byte, and does not say so.</summary>
    Stall,

    /// <summary>It gives or takes one byte at a time.</summary>
    Trickle,
}
