namespace Backchannel;

/// <summary>A look for a name that runs. The gate of <see cref="FarPeers"/> guards it.</summary>
internal sealed class FarSearch
{
    public Task<Found> Task { get; set; } = null!;

    /// <summary>Whether something of the name has changed since it began: that it has found nobody says nothing.</summary>
    public bool IsOutdated { get; set; }
}
