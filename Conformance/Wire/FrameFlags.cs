namespace Conformance.Wire;

/// <summary>The frame flags of the yamux spec.</summary>
[Flags]
internal enum FrameFlags : ushort
{
    None = 0,
    Syn = 1,
    Ack = 2,
    Fin = 4,
    Rst = 8,
}
