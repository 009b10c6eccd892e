namespace Benchmarks.Frames;

/// <summary>Ids of a client's streams, in the orders that a hostile one might choose.</summary>
internal static class Ids
{
    /// <summary>As many as a session has streams by default.</summary>
    public const int Count = 1024;

    // What a dictionary has of them when it has so many entries.
    private const uint Buckets = 1931;

    public static IEnumerable<uint> Rising { get; } = [.. Enumerable.Range(0, Count).Select(i => (2 * (uint)i) + 1)];

    public static IEnumerable<uint> Falling => Rising.Reverse();

    public static IEnumerable<uint> Shuffled
    {
        get
        {
            var ids = Rising.ToArray();
            new Random(1).Shuffle(ids);
            return ids;
        }
    }

    /// <summary>All in one bucket of a table that takes the id for its own hash.</summary>
    public static IEnumerable<uint> Colliding => Jumping(2 * Buckets);

    public static IEnumerable<uint> Jumping(uint by) => Enumerable.Range(0, Count).Select(i => (by * (uint)i) + 1);

    public static IEnumerable<uint> Same(uint id) => Enumerable.Repeat(id, Count);
}
