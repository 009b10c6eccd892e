namespace Backchannel;

/// <summary>A replica, as others see it.</summary>
/// <param name="Id">Another at each start of its process; at most 64 characters, of those of a name but <c>:</c>.</param>
/// <param name="Address">Where it takes links from other replicas: <c>https://10.0.0.1:5002</c>, or <c>http://</c> without TLS.</param>
/// <param name="State">Whether it is about to stop.</param>
public sealed record ReplicaRecord(string Id, Uri Address, ReplicaState State);
