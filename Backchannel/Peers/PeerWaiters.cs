namespace Backchannel;

/// <summary>All that wait for a peer of one name. The gate of <see cref="PeerNames"/> guards it.</summary>
internal sealed class PeerWaiters
{
    /// <summary>Completes when one attaches.</summary>
    public TaskCompletionSource Come { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int Count { get; set; }
}
