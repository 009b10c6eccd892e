namespace LogTail;

/// <summary>Something that whoever started the program can mend.</summary>
internal sealed class ExplainedException(string message) : Exception(message);
