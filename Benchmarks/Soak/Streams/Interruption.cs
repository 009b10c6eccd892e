namespace Benchmarks.Soak.Streams;

/// <summary>What one end of a stream does that keeps the exchange from its end.</summary>
internal enum Interruption
{
    None,

    /// <summary>It aborts the stream.</summary>
    Reset,

    /// <summary>It disposes the stream without reading to the end.</summary>
    Abandon,

    /// <summary>It stops reading and writing, and disposes the stream later.</summary>
    Stall,

    /// <summary>
    /// It stops reading and writing, and disposes the stream only when it is closed: the other end gives up, disposes its
    /// own, and must be rid of it when StreamCloseTimeout has passed.
    /// </summary>
    Neglect,
}
