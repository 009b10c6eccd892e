namespace Yamux.Tests.Model;

/// <summary>The engine did what the model does not allow, or did not do what it must.</summary>
internal sealed class ModelException(string message) : Exception(message);
