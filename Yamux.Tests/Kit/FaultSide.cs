namespace Yamux.Tests.Kit;

/// <summary>The side of a session's transport that has a fault.</summary>
public enum FaultSide
{
    Read,
    Write,
}
