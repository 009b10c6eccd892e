namespace Backchannel;

/// <summary>What a replica hears when it renews its lease.</summary>
/// <param name="Epoch">Another when the directory has lost what it knew.</param>
/// <param name="HadLapsed">Whether there was no lease: it was the first, or the one before had ended by the directory's time, or was lost.</param>
/// <param name="Live">All that have a lease, this one among them.</param>
public sealed record ReplicaLease(string Epoch, bool HadLapsed, IReadOnlyList<ReplicaRecord> Live);
