namespace Yamux.Internal;

/// <summary>
/// A change of a stream's phase, made under its gate. What follows from it is done when the gate is left; a phase is entered once, and so
/// each happens once.
/// </summary>
internal readonly record struct StreamChange(StreamPhase From, StreamPhase To)
{
    /// <summary>Whether the change has reached <paramref name="phase"/>, or gone past it.</summary>
    public bool Enters(StreamPhase phase) => From < phase && To >= phase;
}
