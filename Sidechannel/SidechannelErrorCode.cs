namespace Sidechannel;

/// <summary>What went wrong with a sidechannel.</summary>
public enum SidechannelErrorCode
{
    /// <summary>The call ended without its handler having opened the sidechannel (Gitaly: "callback did not run").</summary>
    CallbackDidNotRun,

    /// <summary>The call has ended, and with it whoever read what the callback writes.</summary>
    CallEnded,

    /// <summary>The caller did not answer: nothing came of it for 5 s, or it took longer than a stream may to be acknowledged (75 s).</summary>
    HandshakeTimeout,

    /// <summary>The caller closed or reset the sidechannel instead of saying <c>ok</c>: it knows no such id, or the id was used before.</summary>
    Refused,

    /// <summary>The caller said something else than <c>ok</c>.</summary>
    HandshakeFailed,

    /// <summary>The caller's bytes ended without the packet that ends them: it failed, or gave up.</summary>
    Truncated,

    /// <summary>The caller's bytes are no packets: a length is not hexadecimal, or is 1 to 3.</summary>
    Malformed,
}
