namespace Yamux.Internal;

/// <summary>
/// The receiving half of a stream, by the states of RFC 9000, 3.2, as far as yamux has them. It changes in one place,
/// <see cref="ReceiveHalf"/>, and only downwards.
/// </summary>
internal enum ReceiveState : byte
{
    /// <summary>The peer may send, and a reader is there (QUIC: Recv).</summary>
    Open,

    /// <summary>Nobody reads any more: what still comes is dropped and credited, until the peer's FIN.</summary>
    Discarding,

    /// <summary>The peer's FIN has come; what came before it can be read (QUIC: Data Recvd).</summary>
    Ended,

    /// <summary>The peer has reset the stream, or the session has ended; what came before can be read (QUIC: Reset Recvd).</summary>
    Failed,

    /// <summary>The end was told to the reader, or there is none: nothing is held any more (QUIC: Data Read, Reset Read).</summary>
    Closed,
}
