namespace Yamux.Tests.Abuse;

/// <summary>
/// What an attack must have reached, or it proves nothing. On a busy machine it may take longer than the attack was meant to
/// last.
/// </summary>
internal static class Goals
{
    // Fewer frames than that between two samples say nothing about the cost of one.
    private const long FewFrames = 5_000;

    private const int Still = (3 * Siege.SamplesPerSecond) + 1;

    /// <summary>So many frames were sent.</summary>
    public static Func<IReadOnlyList<Sample>, bool> Sent(long frames) => samples => samples[^1].Frames >= frames;

    /// <summary>At one time nine tenths of so many bytes were held.</summary>
    public static Func<IReadOnlyList<Sample>, bool> Held(long bytes)
        => samples => samples.Max(sample => sample.Heap) - samples[0].Heap >= bytes * 9 / 10;

    /// <summary>So many sessions are there.</summary>
    public static Func<IReadOnlyList<Sample>, bool> Connected(int sessions) => samples => samples[^1].Sessions == sessions;

    /// <summary>So many sessions have ended.</summary>
    public static Func<IReadOnlyList<Sample>, bool> Ended(int sessions) => samples => samples[^1].Ended >= sessions;

    /// <summary>Nothing was sent for three seconds.</summary>
    public static bool IsStill(IReadOnlyList<Sample> samples)
        => samples.Count >= Still && samples.TakeLast(Still).All(sample => sample.Frames == samples[^1].Frames);

    /// <summary>The cost of a frame can be told of two times, and these compared.</summary>
    public static bool CostsToldTwice(IReadOnlyList<Sample> samples) => TellingCosts(samples).Count() >= 2;

    /// <summary>The samples between which there were enough frames to tell the cost of one.</summary>
    public static IEnumerable<(Sample From, Sample To)> TellingCosts(IReadOnlyList<Sample> samples)
        => Sample.Pairs(samples).Where(pair => pair.To.Frames - pair.From.Frames >= FewFrames);
}
