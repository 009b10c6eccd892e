namespace Backchannel;

/// <summary>That an agent is attached to a replica, as the directory keeps it.</summary>
/// <param name="Name">The agent's name.</param>
/// <param name="Replica">The id of the replica.</param>
/// <param name="Attachment">Which of the replica's attachments it is: a number that it never gives again; at least 1.</param>
/// <param name="Generation">Larger than that of every record of the name that was written before; 0: not known yet.</param>
/// <param name="Instance">What is the same of one run of the agent's process, and of no other; at most 64 characters, of those of a name. Empty: no other record is of the same.</param>
public sealed record PeerRecord(string Name, string Replica, long Attachment, long Generation, string Instance);
