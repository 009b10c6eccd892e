namespace LogTail;

/// <summary>Where an agent's files are.</summary>
internal sealed record AgentFolder(string Path);
