namespace Voting;

/// <summary>An error that one line explains to whoever runs the program: what is wrong, and what to do.</summary>
internal sealed class ExplainedException(string message) : Exception(message.ReplaceLineEndings(" "));
