namespace Yamux.Tests.Isolation;

/// <summary>What must go on.</summary>
public enum Victim
{
    /// <summary>Bytes go both ways on a stream that was open before.</summary>
    Echo,

    /// <summary>A stream is opened at the other end, and accepted.</summary>
    Accept,

    /// <summary>A stream is opened at this end.</summary>
    Open,

    /// <summary>A ping is answered, each way.</summary>
    Ping,

    /// <summary>Another stream is closed at both ends, and forgotten.</summary>
    Close,
}
