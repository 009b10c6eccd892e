namespace Backchannel;

/// <summary>The types of HTTP/2 frames that are looked at or written here (RFC 9113, section 6).</summary>
internal static class Http2FrameType
{
    public const byte Headers = 1;
    public const byte RstStream = 3;
    public const byte Settings = 4;
    public const byte PushPromise = 5;
    public const byte GoAway = 7;
    public const byte Continuation = 9;
}
