namespace Yamux.Protocol;

/// <summary>The second byte of a frame header (yamux spec, "Type Field").</summary>
internal enum FrameType : byte
{
    /// <summary>Payload of a stream; the header's length is its size in bytes.</summary>
    Data = 0,

    /// <summary>Credit for a stream; the header's length is added to the receiver's send window.</summary>
    WindowUpdate = 1,

    /// <summary>A ping or its answer; the header's length is an opaque value that the answer repeats.</summary>
    Ping = 2,

    /// <summary>The end of a session; the header's length is a <see cref="GoAwayCode"/>.</summary>
    GoAway = 3,
}
