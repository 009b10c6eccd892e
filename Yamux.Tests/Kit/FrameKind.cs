namespace Yamux.Tests.Kit;

/// <summary>The second byte of a frame.</summary>
public enum FrameKind : byte
{
    Data = 0,
    WindowUpdate = 1,
    Ping = 2,
    GoAway = 3,
}
