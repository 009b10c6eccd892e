namespace Benchmarks.Agents;

internal static class AgentKindExtensions
{
    /// <summary>Whether the server can call it.</summary>
    public static bool IsMultiplexed(this AgentKind kind) => kind is AgentKind.Connected or AgentKind.Attached;
}
