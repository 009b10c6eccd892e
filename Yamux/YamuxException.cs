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

    internal static YamuxException Protocol(string what)
        => new(YamuxErrorCode.ProtocolError, $"The yamux peer broke the protocol: {what}.");

    /// <summary>
    /// A fresh exception for each caller: one object thrown on several threads would mix their stack traces.
    /// </summary>
    internal YamuxException ForCaller() => new(ErrorCode, Message, InnerException);
}
