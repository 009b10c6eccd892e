using System.Security.Claims;

namespace Backchannel;

/// <summary>Who an agent is: as whom it has authenticated, and what it has said of itself.</summary>
internal sealed record PeerIdentity(string Name, string Instance, IReadOnlyDictionary<string, string> Labels, string AgentVersion, ClaimsPrincipal User, DateTimeOffset AttachedAt)
{
    public static IReadOnlyDictionary<string, string> NoLabels { get; } = new Dictionary<string, string>();

    /// <summary>Whether the other is the same run of the same agent.</summary>
    public bool IsSameInstance(PeerIdentity other) => Instance.Length > 0 && Instance == other.Instance;
}
