namespace Benchmarks.Agents;

/// <summary>How many, and how often.</summary>
/// <param name="Agents">How many connect.</param>
/// <param name="Pairs">How often plain and ours are measured in turn.</param>
/// <param name="Seconds">How long calls to one agent are measured.</param>
/// <param name="Names">Among how many names one is looked up.</param>
internal sealed record AgentsPlan(int Agents, int Pairs, double Seconds, int Names)
{
    /// <summary>How many connect before anything is measured, so that the code is compiled; they stay.</summary>
    public int WarmUp => Math.Min(Agents, 1000);
}
