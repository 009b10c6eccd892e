namespace Yamux.Tests.Limits;

/// <summary>
/// A time limit that a test can meet on the tick: how it is set and begun, what still holds before it, and what it does.
/// </summary>
/// <param name="Begin">Starts the clock; the engine has set its timer when it returns.</param>
/// <param name="NotYet">Holds one tick before the bound.</param>
/// <param name="Due">Happens at the bound.</param>
public sealed record TimeBound(
    Action<YamuxOptions, TimeSpan> Configure, Func<Scenario, Task> Begin, Func<Scenario, Task> NotYet, Func<Scenario, Task> Due, bool Stalled = false);
