namespace Interop.Tests.Support;

/// <summary>One running Go program.</summary>
internal sealed class GoPeer(string executable, string[] arguments) : ForeignPeer("Go", executable, arguments)
{
    /// <summary>Lines in which Go's yamux complains of what the far end did. That a connection closed while it wrote is no complaint.</summary>
    public IReadOnlyList<string> Complaints =>
        [.. Errors.Where(line => line.Contains("[ERR] yamux", StringComparison.Ordinal) && !line.Contains("yamux: Failed to ", StringComparison.Ordinal))];
}
