namespace Conformance.Wire;

/// <summary>The frame types of the yamux spec. Others can be sent too: that is what a conformance suite is for.</summary>
internal enum FrameType : byte
{
    Data = 0,
    WindowUpdate = 1,
    Ping = 2,
    GoAway = 3,
}
