namespace Yamux.Tests.Kit;

/// <summary>A fault of a transport: of which kind, on which side, and after how many bytes.</summary>
public sealed record TransportFault(FaultKind Kind, FaultSide Side, long Offset)
{
    /// <summary>Where a trickle turns into a flow again, so that the bulk behind the interesting bytes does not take minutes.</summary>
    public long TrickleEnd { get; init; } = long.MaxValue;

    /// <summary>How many bytes may have passed before the fault lets no more of them pass at once.</summary>
    public long Limit(long passed) => Kind switch
    {
        FaultKind.Trickle when passed >= TrickleEnd => long.MaxValue,
        FaultKind.Trickle when passed >= Offset => passed + 1,
        _ => Offset,
    };

    public IOException NewError() => new($"The {Side} side fails after {Offset} bytes, as it was told to.");
}
