namespace Yamux.Tests.Abuse;

/// <summary>What was seen at one moment.</summary>
/// <param name="Time">When it was seen.</param>
/// <param name="Heap">
/// Bytes of the GC heap that are in use, after a collection. Pooled buffers are arrays on that heap, those that wait in the
/// pool among them, so they are counted.
/// </param>
/// <param name="Cpu">Processor time of the process since it began: the attacker's and the kernel's are in it.</param>
/// <param name="Frames">Frames that the attacker has sent.</param>
/// <param name="Sessions">Hostile sessions that have not ended and released everything.</param>
/// <param name="Ended">Hostile sessions that have ended.</param>
/// <param name="Echoes">Echoes that the bystanders have made.</param>
internal sealed record Sample(TimeSpan Time, long Heap, TimeSpan Cpu, long Frames, int Sessions, int Ended, long Echoes)
{
    /// <summary>Each sample with the next one.</summary>
    public static IEnumerable<(Sample From, Sample To)> Pairs(IReadOnlyList<Sample> samples) => samples.Zip(samples.Skip(1));
}
