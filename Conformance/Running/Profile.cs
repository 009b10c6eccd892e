namespace Conformance.Running;

/// <summary>What is expected where implementations legitimately differ.</summary>
internal enum Profile
{
    /// <summary>The spec, hashicorp/yamux where the spec is silent, and the limits that every implementation needs.</summary>
    Strict,

    /// <summary>hashicorp/yamux: a protocol error may close the connection without a word, windows are the only limit.</summary>
    Hashicorp,

    /// <summary>libp2p's implementations: windows grow, and numbers of streams are limited by RST.</summary>
    Libp2p,
}
