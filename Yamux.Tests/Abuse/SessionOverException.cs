namespace Yamux.Tests.Abuse;

/// <summary>The hostile peer has lost its connection, or its time is over.</summary>
internal sealed class SessionOverException : Exception;
