namespace Benchmarks.CommandLine;

/// <summary>An error that one line explains to whoever runs the program: what is wrong, and what is allowed.</summary>
internal sealed class ExplainedException(string message) : Exception(message.ReplaceLineEndings(" "));
