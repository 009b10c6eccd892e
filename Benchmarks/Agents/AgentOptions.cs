using System.CommandLine;
using Benchmarks.CommandLine;

namespace Benchmarks.Agents;

/// <summary>The options of both processes, and what one tells the other.</summary>
internal static class AgentOptions
{
    /// <summary>How many connect, or are called, at a time.</summary>
    public const int AtOnce = 64;

    public static Option<string> Kind() => ChoiceOption.CreateOne("--kind", "How the clients hold their connections:", Enum.GetNames<AgentKind>());

    public static AgentKind Parse(string kind) => Enum.Parse<AgentKind>(kind);
}
