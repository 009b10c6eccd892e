namespace Backchannel;

/// <summary>What a stream of a link is for.</summary>
internal enum LinkKind : byte
{
    /// <summary>For an agent: bytes both ways.</summary>
    Call,

    /// <summary>Tells of those that are attached: a page, and the end.</summary>
    List,

    /// <summary>Tells of those that are attached, and then of who comes and goes.</summary>
    Watch,
}
