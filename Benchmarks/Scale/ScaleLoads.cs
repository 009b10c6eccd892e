using Benchmarks.Loads;

namespace Benchmarks.Scale;

/// <summary>What the client's process is asked to do.</summary>
internal static class ScaleLoads
{
    public const string Echo = "echo";
    public const string Sessions = "sessions";
    public const string Idle = "idle";

    /// <summary>Where the bulk streams are, and which way they go.</summary>
    public static readonly IReadOnlyList<string> Fairness = ["shared-up", "apart-up", "shared-down", "apart-down"];

    public static readonly IReadOnlyList<string> Names = [Echo, Sessions, Idle, .. Fairness];

    public static ILoad Create(string name, int count) => name switch
    {
        Echo => new EchoLoad(name, count),
        Sessions => new SessionsLoad(count),
        Idle => new IdleLoad(name),
        _ => new FairnessLoad(name, name.StartsWith("shared", StringComparison.Ordinal), name.EndsWith("up", StringComparison.Ordinal), count),
    };
}
