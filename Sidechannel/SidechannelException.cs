namespace Sidechannel;

/// <summary>
/// A sidechannel could not be opened, did not run, or broke its protocol. It is an <see cref="IOException"/>, as what the stream
/// below throws is (<see cref="Yamux.YamuxException"/>: reset, connection lost).
/// </summary>
public class SidechannelException : IOException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="errorCode">What went wrong, for code to act on.</param>
    /// <param name="message">What went wrong, for people to read.</param>
    /// <param name="innerException">What caused it, if anything did.</param>
    public SidechannelException(SidechannelErrorCode errorCode, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        ErrorCode = errorCode;
    }

    /// <summary>What went wrong.</summary>
    public SidechannelErrorCode ErrorCode { get; }
}
