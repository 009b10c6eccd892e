using System.Diagnostics;

namespace Yamux.Tests.Abuse;

/// <summary>
/// One attack on sessions with default options, and what it cost them: a sample at the beginning, one after each second,
/// and one when everything is over.
/// </summary>
internal sealed class Siege
{
    // What the process itself, the pools' spare arrays and the bystanders may move by, whatever the attack.
    private const long Allowance = 4 << 20;

    private readonly List<Sample> _samples = [];
    private readonly ITestOutputHelper _output;
    private Sample _after = null!;
    private IReadOnlyDictionary<string, int> _endings = null!;
    private IReadOnlyDictionary<string, int> _allEndings = null!;
    private int _connections;
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
    public static async Task<Siege> RunAsync(
        ITestOutputHelper output, Func<YamuxSession, Task> application, Action<HostileConnection> attack, bool reads = true, int connections = 1, int? seconds = null)
    {
        var siege = new Siege(output);
        await using (var bystander = await Bystander.StartAsync())
        {
            await using var victim = new Victim(application, smallBuffers: !reads);
            HostilePeer? peer = null;
            siege._samples.Add(TakeSample(peer, victim, bystander));
            peer = new HostilePeer(victim.EndPoint, attack, reads, connections);
            try
            {
                for (var i = 0; i < (seconds ?? AttackDuration.Seconds); i++)
                {
                    await Task.Delay(TimeSpan.FromSeconds(1));
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
            siege._after = TakeSample(peer, victim, bystander);
        }

        siege.Print();
        return siege;
    }

    /// <summary>Whatever the attack: others go on, the log stays short, and in the end everything is released.</summary>
    public Siege AssertOthersGoOn(int mostLines = 20)
    {
        for (var i = 1; i < _samples.Count; i++)
        {
            Assert.True(_samples[i].Echoes > _samples[i - 1].Echoes, $"In second {i} the other sessions echoed nothing.");
        }

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
        var half = _samples[_samples.Count / 2];
        var (early, late) = (PerFrame(First, half), PerFrame(half, Last));
        Assert.True(late <= 3 * early, $"A frame cost {early:N0} ns in the first half, and {late:N0} ns in the second.");
        return this;
    }

    /// <summary>A session that is only held costs no processor time: what there is, is the measurement's and the bystanders'.</summary>
    public Siege AssertIdle()
    {
        var share = (Last.Cpu - _samples[1].Cpu) / TimeSpan.FromSeconds(_samples.Count - 2);
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

    private static double PerFrame(Sample from, Sample to)
        => (to.Cpu - from.Cpu).TotalNanoseconds / Math.Max(to.Frames - from.Frames, 1);

    private static Sample TakeSample(HostilePeer? peer, Victim victim, Bystander bystander)
    {
        GC.Collect();
        using var process = Process.GetCurrentProcess();
        return new Sample(GC.GetTotalMemory(forceFullCollection: false), process.TotalProcessorTime, peer?.Frames ?? 0, victim.Live, bystander.Echoes);
    }

    private void AssertHeap(string when, long heap, long bound)
        => Assert.True(heap - First.Heap <= bound, $"The heap grew by {heap - First.Heap:N0} bytes {when}; at most {bound:N0} were expected.");

    private void Print()
    {
        var half = _samples[_samples.Count / 2];
        _output.WriteLine($"{Last.Frames:N0} frames on {_connections:N0} connections in {_samples.Count - 1} s");
        _output.WriteLine($"sessions ended: {string.Join(", ", _endings.Select(ending => $"{ending.Value:N0} {ending.Key}").DefaultIfEmpty("none"))}; held at the end: {Last.Sessions}");
        _output.WriteLine($"heap before {First.Heap:N0}, per session at most {_samples.Skip(1).Max(sample => (sample.Heap - First.Heap) / Math.Max(sample.Sessions, 1)):N0}, after {_after.Heap - First.Heap:N0}");
        _output.WriteLine($"heap beyond the first, by second: {string.Join(' ', _samples.Skip(1).Select(sample => $"{(sample.Heap - First.Heap) / 1024:N0}"))} KiB");
        _output.WriteLine($"cpu {(Last.Cpu - First.Cpu).TotalSeconds:F1} s; ns a frame {PerFrame(First, half):N0}, then {PerFrame(half, Last):N0}");
        _output.WriteLine($"lines of a session at most {_mostLines}, warnings {_warnings}; echoes of others {Last.Echoes - First.Echoes:N0}, at least {_samples.Zip(_samples.Skip(1), (a, b) => b.Echoes - a.Echoes).Min()} a second");
    }
}
