using Yamux.Protocol;

namespace Yamux;

/// <summary>
/// A stream or a session failed, or refused an operation. It is an <see cref="IOException"/> because that is what network
/// code, Kestrel among it, takes for an ordinary loss of a connection.
/// </summary>
public class YamuxException : IOException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="errorCode">What went wrong, for code to act on.</param>
    /// <param name="message">What went wrong, for people to read.</param>
    /// <param name="innerException">What caused it, if anything did.</param>
    public YamuxException(YamuxErrorCode errorCode, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        ErrorCode = errorCode;
    }

    /// <summary>What went wrong.</summary>
    public YamuxErrorCode ErrorCode { get; }

    /// <summary>What came in the place of a frame's version: the peer speaks another protocol. Null if that is not what went wrong.</summary>
    internal byte? ForeignOctet { get; init; }

    internal static YamuxException Protocol(string what)
        => new(YamuxErrorCode.ProtocolError, $"The yamux peer broke the protocol: {what}.");

    internal static YamuxException Foreign(byte octet)
        => new(YamuxErrorCode.ProtocolError, Protocol($"the frame's version is {octet}; only version {FrameHeader.Version} exists").Message)
        {
            ForeignOctet = octet,
        };

    /// <summary>
    /// A fresh exception for each caller: one object thrown on several threads would mix their stack traces.
    /// </summary>
    internal YamuxException ForCaller() => new(ErrorCode, Message, InnerException) { ForeignOctet = ForeignOctet };
}
