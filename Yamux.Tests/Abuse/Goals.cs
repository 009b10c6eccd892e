namespace Yamux.Tests.Abuse;

/// <summary>
/// What an attack must have reached, or it proves nothing. On a busy machine it may take longer than the attack was meant to
/// last.
/// </summary>
internal static class Goals
{
    /// <summary>So many frames were sent.</summary>
    public static Func<IReadOnlyList<Sample>, bool> Sent(long frames) => samples => samples[^1].Frames >= frames;

    /// <summary>At one time nine tenths of so many bytes were held.</summary>
    public static Func<IReadOnlyList<Sample>, bool> Held(long bytes)
        => samples => samples.Max(sample => sample.Heap) - samples[0].Heap >= bytes * 9 / 10;

    /// <summary>So many sessions are there.</summary>
    public static Func<IReadOnlyList<Sample>, bool> Connected(int sessions) => samples => samples[^1].Sessions == sessions;

    /// <summary>Nothing was sent for some seconds.</summary>
    public static bool IsStill(IReadOnlyList<Sample> samples)
        => samples.Count >= 4 && samples.TakeLast(4).All(sample => sample.Frames == samples[^1].Frames);
}
