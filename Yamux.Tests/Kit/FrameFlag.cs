namespace Yamux.Tests.Kit;

/// <summary>The third and fourth byte of a frame.</summary>
[Flags]
public enum FrameFlag
{
    None = 0,
    Syn = 1,
    Ack = 2,
    Fin = 4,
    Rst = 8,
}
