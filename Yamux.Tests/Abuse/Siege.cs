using System.Buffers;
using System.Diagnostics;

namespace Yamux.Tests.Abuse;

/// <summary>
/// One attack on sessions with default options, and what it cost them: a sample at the beginning, one after each quarter of a second,
/// and one when everything is over.
/// </summary>
internal sealed class Siege
{
    // What the process itself, the arrays that its threads keep and the bystanders may move by, whatever the attack.
    private const long Allowance = 4 << 20;

    // What SegmentedBuffer and SocketReader rent, and how many of a size the shared pool keeps for each processor: more than the allowance.
    private static readonly int[] PooledSizes = [4 << 10, 16 << 10, 64 << 10, 128 << 10];
    private const int PooledArrays = 32;

    public const int SamplesPerSecond = 4;

    // For a machine that is busy with other things.
    private const int LongestWait = 60 * SamplesPerSecond;
    private static readonly TimeSpan LongestGap = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ReleaseTime = TimeSpan.FromSeconds(10);

    private readonly List<Sample> _samples = [];
    private readonly ITestOutputHelper _output;
    private Sample _after = null!;
    private IReadOnlyDictionary<string, int> _endings = null!;
    private IReadOnlyDictionary<string, int> _allEndings = null!;
    private int _connections;
    private TimeSpan _longestGap;
    private int _mostLines;
    private int _warnings;

    private Siege(ITestOutputHelper output) => _output = output;

    private Sample First => _samples[0];

    private Sample Last => _samples[^1];

    /// <param name="output">Where the figures go.</param>
    /// <param name="application">What the server does with each session.</param>
    /// <param name="attack">What the hostile peer does on each connection; when it returns, the connection is held.</param>
    /// <param name="reads">Whether the hostile peer reads what it gets.</param>
    /// <param name="connections">From how many connections at a time.</param>
    /// <param name="seconds">For how long, if not for as long as the environment says.</param>
    /// <param name="goal">What must be reached; the attack goes on until it is, up to a limit. If not told, 20,000 frames, and what tells the cost of one.</param>
    public static async Task<Siege> RunAsync(
        ITestOutputHelper output, Func<YamuxSession, Task> application, Action<HostileConnection> attack, bool reads = true, int connections = 1, int? seconds = null,
        Func<IReadOnlyList<Sample>, bool>? goal = null)
    {
        goal ??= samples => Goals.Sent(20_000)(samples) && Goals.CostsToldTwice(samples);
        var siege = new Siege(output);
        await using (var bystander = await Bystander.StartAsync())
        {
            await using var victim = new Victim(application, smallBuffers: !reads);
            HostilePeer? peer = null;
            siege._samples.Add(TakeSettledSample(peer, victim, bystander));
            peer = new HostilePeer(victim.EndPoint, attack, reads, connections);
            try
            {
                var least = (seconds ?? AttackDuration.Seconds) * SamplesPerSecond;
                for (var i = 0; i < least || (i < least + LongestWait && !goal(siege._samples)); i++)
                {
                    await Task.Delay(TimeSpan.FromSeconds(1.0 / SamplesPerSecond));
                    siege._samples.Add(TakeSample(peer, victim, bystander));
                }

                siege._endings = new Dictionary<string, int>(victim.Endings);
                siege._connections = peer.Connections;
            }
            finally
            {
                await peer.StopAsync();
            }

            await victim.DisposeAsync();
            siege._allEndings = victim.Endings;
            siege._mostLines = victim.MostLines;
            siege._warnings = victim.Warnings;
            siege._longestGap = bystander.LongestGap;
            siege._after = TakeSettledSample(peer, victim, bystander);
            for (var waited = Stopwatch.StartNew(); siege._after.Heap - siege.First.Heap > Allowance && waited.Elapsed < ReleaseTime;)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200));
                siege._after = TakeSettledSample(peer, victim, bystander);
            }
        }

        siege.Print();
        Assert.True(goal(siege._samples), "The attack did not get as far as it must to prove anything.");
        return siege;
    }

    /// <summary>Whatever the attack: others go on, the log stays short, and in the end everything is released.</summary>
    public Siege AssertOthersGoOn(int mostLines = 20)
    {
        Assert.True(Last.Echoes > First.Echoes, "The other sessions echoed nothing.");
        Assert.True(_longestGap < LongestGap, $"The other sessions echoed nothing for {_longestGap.TotalSeconds:F1} s; at most {LongestGap.TotalSeconds} s were expected.");

        Assert.InRange(_mostLines, 0, mostLines);
        Assert.Equal(0, _warnings);
        Assert.Equal(0, _after.Sessions);
        AssertHeap("when all was over", _after.Heap, Allowance);
        return this;
    }

    /// <summary>No hostile session held more than this at any time.</summary>
    public Siege AssertMemory(long perSession)
    {
        foreach (var sample in _samples.Skip(1))
        {
            AssertHeap($"with {sample.Sessions} hostile sessions", sample.Heap, (Math.Max(sample.Sessions, 1) * perSession) + Allowance);
        }

        return this;
    }

    /// <summary>What the hostile sessions hold does not grow with time.</summary>
    public Siege AssertFlat()
    {
        var third = (_samples.Count - 1) / 3;
        var middle = _samples.Skip(1 + third).Take(third).Max(sample => sample.Heap);
        var last = _samples.TakeLast(third).Max(sample => sample.Heap);
        Assert.True(last <= middle + Allowance, $"The heap grew from {middle:N0} bytes in the middle to {last:N0} in the end.");
        return this;
    }

    /// <summary>The work that a frame makes does not grow with time.</summary>
    public Siege AssertWorkPerFrame()
    {
        var costs = Costs();
        Assert.True(costs.Count >= 2, $"The cost of a frame was told {costs.Count} times only.");

        // What the sockets took at first has not cost much yet.
        costs = costs.Count > 3 ? costs[1..] : costs;
        var third = Math.Max(1, costs.Count / 3);
        var (early, late) = (costs.Take(third).Min(), costs.TakeLast(third).Min());
        Assert.True(late <= (3 * early) + 500, $"A frame cost {early:N0} ns at first, and {late:N0} ns in the end.");
        return this;
    }

    /// <summary>A session that is only held costs no processor time: what there is, is the measurement's and the bystanders'.</summary>
    public Siege AssertIdle()
    {
        var share = Sample.Pairs(_samples).Skip(1).Where(pair => pair.To.Frames == pair.From.Frames)
            .Min(pair => (pair.To.Cpu - pair.From.Cpu) / (pair.To.Time - pair.From.Time));
        Assert.True(share < 0.5, $"The process used {share:P0} of a processor while the hostile peer did nothing.");
        return this;
    }

    /// <summary>The sessions outlived the attack.</summary>
    public Siege AssertHeld(int sessions = 1)
    {
        Assert.Empty(_endings);
        Assert.Equal(sessions, Last.Sessions);
        return this;
    }

    /// <summary>Every session that ended before the peer went away did so for this reason, and at least one did, or was about to.</summary>
    public Siege AssertEnded(YamuxErrorCode reason)
    {
        Assert.Contains(reason.ToString(), _allEndings.Keys);
        Assert.All(_endings.Keys, ending => Assert.Equal(reason.ToString(), ending));
        return this;
    }

    // In nanoseconds a frame. Others on the machine can only make it more.
    private List<double> Costs()
        => [.. Goals.TellingCosts(_samples).Select(pair => (pair.To.Cpu - pair.From.Cpu).TotalNanoseconds / (pair.To.Frames - pair.From.Frames))];

    // Without what waits for its finalizer, and without the pool's spare arrays: what is there belongs to nobody.
    private static Sample TakeSettledSample(HostilePeer? peer, Victim victim, Bystander bystander)
    {
        EmptyPool();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return TakeSample(peer, victim, bystander);
    }

    private static void EmptyPool()
    {
        foreach (var size in PooledSizes)
        {
            for (var i = 0; i < PooledArrays * Environment.ProcessorCount; i++)
            {
                _ = ArrayPool<byte>.Shared.Rent(size); // And not returned.
            }
        }
    }

    private static Sample TakeSample(HostilePeer? peer, Victim victim, Bystander bystander)
    {
        // As the collection left it: the attack goes on allocating after it.
        GC.Collect();
        var heap = GC.GetGCMemoryInfo(GCKind.FullBlocking);
        using var process = Process.GetCurrentProcess();
        return new Sample(
            Stopwatch.GetElapsedTime(0), heap.HeapSizeBytes - heap.FragmentedBytes, process.TotalProcessorTime, peer?.Frames ?? 0, victim.Live, victim.Endings.Values.Sum(), bystander.Echoes);
    }

    private void AssertHeap(string when, long heap, long bound)
        => Assert.True(heap - First.Heap <= bound, $"The heap grew by {heap - First.Heap:N0} bytes {when}; at most {bound:N0} were expected.");

    private void Print()
    {
        var costs = Costs();
        _output.WriteLine($"{Last.Frames:N0} frames on {_connections:N0} connections in {(_samples.Count - 1.0) / SamplesPerSecond} s");
        _output.WriteLine($"sessions ended: {string.Join(", ", _endings.Select(ending => $"{ending.Value:N0} {ending.Key}").DefaultIfEmpty("none"))}; held at the end: {Last.Sessions}");
        _output.WriteLine($"heap before {First.Heap:N0}, per session at most {_samples.Skip(1).Max(sample => (sample.Heap - First.Heap) / Math.Max(sample.Sessions, 1)):N0}, after {_after.Heap - First.Heap:N0}");
        _output.WriteLine($"heap beyond the first, by quarter of a second: {string.Join(' ', _samples.Skip(1).Select(sample => $"{(sample.Heap - First.Heap) / 1024:N0}"))} KiB");
        _output.WriteLine($"cpu {(Last.Cpu - First.Cpu).TotalSeconds:F1} s; ns a frame by quarter of a second: {string.Join(' ', costs.Select(cost => $"{cost:N0}"))}");
        _output.WriteLine($"lines of a session at most {_mostLines}, warnings {_warnings}; echoes of others {Last.Echoes - First.Echoes:N0}, longest gap {_longestGap.TotalMilliseconds:N0} ms");
    }
}
