namespace Conformance.CommandLine;

/// <summary>What was asked for cannot be done. The message is one line that names the value and what is allowed.</summary>
internal sealed class UsageException(string message) : Exception(message);
