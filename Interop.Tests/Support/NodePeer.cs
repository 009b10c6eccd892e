namespace Interop.Tests.Support;

/// <summary>One running JavaScript program.</summary>
internal sealed class NodePeer(string script, string[] arguments) : ForeignPeer("Node", "node", [script, .. arguments])
{
    /// <summary>What the program found wrong with its connections.</summary>
    public IReadOnlyList<string> Complaints => Errors;
}
