namespace Voting.Demo;

/// <summary>The demo did not show what it is there to show; the message says what was different.</summary>
internal sealed class DemoFailedException(string message) : Exception(message);
