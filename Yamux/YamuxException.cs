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

    /// <summary>The id of the stream that failed, if it was one stream; null if it was the session, or an operation of its.</summary>
    public uint? StreamId { get; init; }

    /// <summary>
    /// What the peer's frame has where its version stands, if that is what went wrong. yamux has version 0 alone, so the peer speaks another protocol: an
    /// alert of TLS begins with 0x15, an answer of HTTP/1 with 'H'. Null otherwise.
    /// </summary>
    public byte? ReceivedVersion { get; init; }

    internal static YamuxException OfStream(uint id, YamuxErrorCode errorCode, string message, Exception? innerException = null)
        => new(errorCode, message, innerException) { StreamId = id };

    internal static YamuxException Lost(Exception error) => Lost(error.Message, error);

    internal static YamuxException Lost(string why, Exception? error = null)
        => new(YamuxErrorCode.ConnectionLost, $"The yamux connection was lost: {why}", error);

    internal static YamuxException Protocol(string what, byte? receivedVersion = null)
        => new(YamuxErrorCode.ProtocolError, $"The yamux peer broke the protocol: {what}.") { ReceivedVersion = receivedVersion };

    /// <summary>
    /// A fresh exception for each caller: one object thrown on several threads would mix their stack traces.
    /// </summary>
    internal YamuxException ForCaller() => new(ErrorCode, Message, InnerException) { StreamId = StreamId, ReceivedVersion = ReceivedVersion };
}
