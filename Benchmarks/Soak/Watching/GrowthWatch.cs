namespace Benchmarks.Soak.Watching;

/// <summary>
/// Tells growth from noise. All samples are taken at rest, so they should be the same but for what pools and caches keep;
/// they are compared by the streams opened and not by time, since that is what a leak grows with.
/// </summary>
/// <param name="sockets">How many sockets each sample but the one at the end has.</param>
internal sealed class GrowthWatch(int sockets)
{
    // What pools of buffers, Kestrel's too, and caches may keep more or less of from one sample to the next: of buffers as many as were in use at once, which
    // is most when the pool of threads is starved and all that has come waits. From 6 to 17 MiB were seen in 30 s, and 15 to 23 in four minutes.
    private const long HeapNoise = 16 << 20;

    // The pool starts its threads, whose number is fixed, when there is work for them.
    private const int ThreadNoise = 16;

    // The runtime keeps each assembly open that it loads.
    private const int HandleNoise = 16;

    private readonly List<Sample> _samples = [];

    /// <summary>What was allocated for a stream, both its ends and the soak's own work on it; null before there are two samples.</summary>
    public long? AllocatedPerStream => _samples.Count < 2 || _samples[^1].Opened == _samples[0].Opened
        ? null
        : (_samples[^1].Allocated - _samples[0].Allocated) / (_samples[^1].Opened - _samples[0].Opened);

    /// <summary>Adds a sample that was taken after the warm-up.</summary>
    public void Add(Sample sample) => _samples.Add(sample);

    /// <summary>What has grown since the warm-up; null if nothing has.</summary>
    public string? FindGrowth()
        => Find("the heap", vitals => vitals.Heap, HeapNoise, " bytes")
            ?? Find("the number of handles", vitals => vitals.Handles, HandleNoise, "")
            ?? Find("the number of threads", vitals => vitals.Threads, ThreadNoise, "");

    /// <summary>What is left when all is closed, compared with the first sample; null if nothing is.</summary>
    public string? FindLeft(Vitals after)
    {
        var first = _samples[0].Vitals;
        return Left("the heap", first.Heap, after.Heap, HeapNoise, " bytes")
            ?? Left("the number of handles", first.Handles - sockets, after.Handles, HandleNoise, "")
            ?? Left("the number of threads", first.Threads, after.Threads, ThreadNoise, "");
    }

    private string? Find(string what, Func<Vitals, long> select, long noise, string unit)
    {
        if (_samples.Count < 2)
        {
            return null;
        }

        var growth = Trend.Growth([.. _samples.Select(sample => ((double)sample.Opened, (double)select(sample.Vitals)))]);
        var streams = _samples[^1].Opened - _samples[0].Opened;
        return growth <= noise
            ? null
            : FormattableString.Invariant(
                $"{what} grew with the streams: from {select(_samples[0].Vitals):N0} to {select(_samples[^1].Vitals):N0}{unit} in {_samples.Count} samples at rest, by {growth:N0} along their trend, which is {growth / streams:0.###} a stream; {noise:N0} is allowed");
    }

    private static string? Left(string what, long expected, long after, long noise, string unit)
        => after - expected <= noise
            ? null
            : FormattableString.Invariant($"{what} is {after:N0}{unit} when all is closed; after the warm-up it was {expected:N0} without the sessions' sockets, and {noise:N0} more are allowed");
}
