namespace Yamux.Internal;

/// <summary>
/// The sending half of a stream, by the states of RFC 9000, 3.1, as far as yamux has them: nothing tells that the peer has what
/// was sent. It changes in one place, <see cref="SendHalf"/>, and only downwards.
/// </summary>
internal enum SendState
{
    /// <summary>More may be written (QUIC: Send).</summary>
    Open,

    /// <summary>Nothing more will be written; what was written is still to be sent, and FIN behind it.</summary>
    Draining,

    /// <summary>FIN is on its way, behind everything else (QUIC: Data Sent).</summary>
    Ended,

    /// <summary>The stream was reset by either end, or its session has ended (QUIC: Reset Sent).</summary>
    Failed,
}
