namespace Conformance.Running;

/// <summary>There is no connection to the target. The message says why, and what to do.</summary>
internal sealed class TargetUnreachableException(string message) : Exception(message);
