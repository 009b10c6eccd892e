namespace Benchmarks.Soak;

/// <summary>How a soak is run.</summary>
internal sealed record SoakSettings(TimeSpan Duration, int Sessions, int Streams, int Seed)
{
    /// <summary>How long an operation may make no progress before it is taken to hang.</summary>
    public static readonly TimeSpan HangLimit = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan ShortestWarmUp = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestWarmUp = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(10);

    // Growth is told from noise by several samples, so a short run takes them faster.
    private const int FewestSamples = 6;

    /// <summary>The time between two samples.</summary>
    public TimeSpan Interval => Min(LongestInterval, Duration / FewestSamples);

    /// <summary>The time that pools, caches and the compiler may take to settle; nothing is judged before.</summary>
    public TimeSpan WarmUp => Min(Max(ShortestWarmUp, Min(LongestWarmUp, Duration / 5)), Duration / 3);

    /// <summary>How long the pool of threads is starved at a time.</summary>
    public TimeSpan Starvation => Interval * 0.4;

    private static TimeSpan Min(TimeSpan first, TimeSpan second) => first < second ? first : second;

    private static TimeSpan Max(TimeSpan first, TimeSpan second) => first > second ? first : second;
}
