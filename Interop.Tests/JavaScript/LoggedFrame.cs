using Conformance.Wire;

namespace Interop.Tests.JavaScript;

/// <summary>A frame that we sent or received, without its payload.</summary>
internal readonly record struct LoggedFrame(bool Received, Frame Frame);
