namespace LogTail;

/// <summary>What the server asks its agents for.</summary>
internal sealed record WantedFile(string Name);
