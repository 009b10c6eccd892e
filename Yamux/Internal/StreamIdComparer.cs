namespace Yamux.Internal;

/// <summary>
/// For tables whose keys are ids of streams. Half of them are the peer's choice, and a number is its own hash by default: a peer that knows to what
/// sizes tables grow would put all of its streams into one bucket. <see cref="HashCode"/> is seeded anew in each process.
/// </summary>
internal sealed class StreamIdComparer : IEqualityComparer<uint>
{
    public static readonly StreamIdComparer Instance = new();

    private StreamIdComparer()
    {
    }

    public bool Equals(uint x, uint y) => x == y;

    public int GetHashCode(uint id) => HashCode.Combine(id);
}
