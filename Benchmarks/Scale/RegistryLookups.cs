using System.Diagnostics;
using System.Runtime.CompilerServices;
using Backchannel;

namespace Benchmarks.Scale;

/// <summary>How long it takes to find a peer among many.</summary>
internal static class RegistryLookups
{
    private const int Lookups = 1 << 16;

    /// <returns>Nanoseconds per lookup; the best of several rounds, for noise only ever adds.</returns>
    public static double Measure(int peers, int rounds)
    {
        var registry = new BackchannelRegistry();
        for (var id = 1; id <= peers; id++)
        {
            registry.Add(Peer(id));
        }

        var random = new Random(peers);
        var ids = Enumerable.Range(0, Lookups).Select(_ => random.NextInt64(1, peers + 1)).ToArray();
        var best = double.MaxValue;
        for (var round = 0; round < rounds; round++)
        {
            best = Math.Min(best, Round(registry, ids));
        }

        return best;
    }

    private static double Round(BackchannelRegistry registry, long[] ids)
    {
        var start = Stopwatch.GetTimestamp();
        foreach (var id in ids)
        {
            if (!registry.TryGetPeer(id, out _))
            {
                throw new InvalidOperationException($"Peer {id} was not found.");
            }
        }

        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / ids.Length;
    }

    // A peer has a session and a channel, a hundred thousand of which would take the memory of the machine. Nothing here looks at them.
    private static BackchannelPeer Peer(long id)
    {
        var peer = (BackchannelPeer)RuntimeHelpers.GetUninitializedObject(typeof(BackchannelPeer));
        IdOf(peer) = id;
        return peer;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "<Id>k__BackingField")]
    private static extern ref long IdOf(BackchannelPeer peer);
}
