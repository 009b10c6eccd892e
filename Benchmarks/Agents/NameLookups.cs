using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Security.Claims;
using Backchannel;

namespace Benchmarks.Agents;

/// <summary>How long it takes to find the peer of one of many names, and to see that it takes calls.</summary>
internal static class NameLookups
{
    private const int Lookups = 1 << 16;
    private const int Rounds = 200;

    /// <param name="attached">A peer that is connected. The others are copies of it, on the same connection: so many connections would take the memory of the machine.</param>
    /// <param name="count">How many names there are.</param>
    /// <returns>Nanoseconds; the best of several rounds, for noise only ever adds.</returns>
    public static double Measure(BackchannelPeer attached, int count)
    {
        var names = new PeerNames(DuplicateNames.Newest, mostOfOneName: 1);
        for (var i = 0; i < count; i++)
        {
            var copy = (BackchannelPeer)Clone(attached);
            PresentOf(copy) = null;
            var identity = new PeerIdentity(Name(i), "", PeerIdentity.NoLabels, "", new ClaimsPrincipal(), default);
            if (names.Attach(new PresentPeer(copy, identity, names), out _) != AttachResult.Attached)
            {
                throw new InvalidOperationException($"{identity.Name} was not attached.");
            }
        }

        // The names as they come from a request: other strings than those that were attached.
        var random = new Random(count);
        var wanted = Enumerable.Range(0, Lookups).Select(_ => Name(random.Next(count))).ToArray();
        var best = double.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            best = Math.Min(best, Round(names, wanted));
        }

        return best;
    }

    private static double Round(PeerNames names, string[] wanted)
    {
        var start = Stopwatch.GetTimestamp();
        foreach (var name in wanted)
        {
            if (names.Find(name) is null)
            {
                throw new InvalidOperationException($"{name} was not found.");
            }
        }

        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / wanted.Length;
    }

    private static string Name(int number) => $"device-{number}.example";

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "MemberwiseClone")]
    private static extern object Clone(object of);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_present")]
    private static extern ref PresentPeer? PresentOf(BackchannelPeer peer);
}
