namespace Benchmarks.Agents;

/// <summary>What it was to hold so many connections of a kind.</summary>
/// <param name="Connects">Connected per second.</param>
/// <param name="Heap">Bytes of the server's heap for each.</param>
/// <param name="Calls">First calls per second, one to each.</param>
/// <param name="CallsAgain">The same once more.</param>
/// <param name="HeapAfter">Bytes of the server's heap for each after that.</param>
internal sealed record Held(double Connects, double Heap, double Calls, double CallsAgain, double HeapAfter);
