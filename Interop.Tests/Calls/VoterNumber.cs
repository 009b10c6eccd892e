namespace Interop.Tests.Calls;

/// <summary>The number by which one client is told from the others.</summary>
internal sealed record VoterNumber(int Value);
