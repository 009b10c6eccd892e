namespace Benchmarks.Agents;

/// <summary>How many, and how often.</summary>
/// <param name="Agents">How many connect.</param>
/// <param name="Pairs">How often plain and ours are measured in turn.</param>
/// <param name="Seconds">How long calls to one agent are measured.</param>
/// <param name="Names">Among how many names one is looked up.</param>
/// <param name="Groups">What is measured.</param>
internal sealed record AgentsPlan(int Agents, int Pairs, double Seconds, int Names, IReadOnlyCollection<string> Groups)
{
    /// <summary>Clients that can be called, and are.</summary>
    public const string Connected = "connected";

    /// <summary>Agents that are attached.</summary>
    public const string Attached = "attached";

    /// <summary>Calls by name, and look-ups.</summary>
    public const string Named = "named";

    public static readonly IReadOnlyList<string> AllGroups = [Connected, Attached, Named];

    /// <summary>How many connect before anything is measured, so that the code is compiled; they stay.</summary>
    public int WarmUp => Math.Min(Agents, 1000);
}
