namespace Backchannel;

/// <summary>A session that a host serves: how long, and whose it is.</summary>
internal sealed record ServedSession(Task Run, ConnectionKey Key);
