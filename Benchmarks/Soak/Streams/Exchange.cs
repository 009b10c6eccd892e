namespace Benchmarks.Soak.Streams;

/// <summary>What the two ends of a stream say to each other.</summary>
internal enum Exchange
{
    /// <summary>The acceptor sends back what it receives, while it comes. The opener closes its side first.</summary>
    Echo,

    /// <summary>The opener sends and closes its side; the acceptor answers with the hash of it all.</summary>
    Upload,

    /// <summary>The acceptor sends and closes its side; the opener answers with the hash of it all.</summary>
    Download,
}
