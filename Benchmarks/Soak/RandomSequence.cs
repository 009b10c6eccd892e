namespace Benchmarks.Soak;

/// <summary>
/// SplitMix64: eight bytes of state, so that each stream can have a generator of its own, and both of its ends the same one.
/// </summary>
internal struct RandomSequence(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        var mixed = (_state ^ (_state >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }

    /// <summary>From 0 to less than <paramref name="limit"/>.</summary>
    public int Next(int limit) => (int)(Next() % (uint)limit);

    /// <summary>True once in <paramref name="times"/> times.</summary>
    public bool OneIn(int times) => Next(times) == 0;
}
