using Microsoft.Diagnostics.Tracing.Etlx;
using Microsoft.Diagnostics.Tracing.EventPipe;

namespace Benchmarks.Profile;

/// <summary>In how many samples of a trace each method was at work itself, and in how many it was on the stack.</summary>
internal sealed class MethodShares
{
    private const int StackDepth = 7;

    // Where threads rest, or stand still for a sample: all threads are looked at. Some of them spin, which costs time, but is no work.
    private static readonly string[] RestingPlaces =
    [
        "Threading.LowLevelLifoSemaphore", "Threading.LowLevelSpinWaiter", "Threading.LowLevelMonitor", "Threading.PortableThreadPool+WorkerThread.WorkerThreadStart",
        "Threading.PortableThreadPool+GateThread", "Sockets.SocketAsyncEngine.EventLoop", "Threading.Thread.PollGC", "Threading.Thread.<PollGC>", "Threading.Thread.Sleep",
        "Threading.Thread.Join", "Threading.Thread.Yield", "Threading.Thread.SpinWait", "Threading.SpinWait", "Threading.WaitHandle", "Threading.Monitor.Wait",
        "Threading.ManualResetEventSlim.Wait", "Interop+Sys.Read", "Threading.WaitSubsystem", "System.ConsolePal", "System.IO.ConsoleStream", "SafeFileHandle", "System.IO.RandomAccess",
    ];

    private readonly Dictionary<string, int> _exclusive = [];
    private readonly Dictionary<string, int> _inclusive = [];

    private readonly Dictionary<string, int> _stacks = [];
    private readonly string? _where;

    private MethodShares(string? where) => _where = where;

    /// <summary>How many samples there are of threads at work.</summary>
    public int Samples { get; private set; }

    /// <summary>Reads a .nettrace file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="where">Methods with this in their names are counted by who called them too; null for none.</param>
    public static MethodShares Read(string path, string? where = null)
    {
        var converted = TraceLog.CreateFromEventPipeDataFile(path, Path.ChangeExtension(path, ".etlx"));
        try
        {
            using var log = new TraceLog(converted);
            var shares = new MethodShares(where);
            var source = log.Events.GetSource();
            new SampleProfilerTraceEventParser(source).ThreadSample += sample => shares.Add(sample.CallStack());
            source.Process();
            return shares;
        }
        finally
        {
            File.Delete(converted);
        }
    }

    /// <summary>The methods that were at work themselves most often.</summary>
    public IEnumerable<MethodShare> TopExclusive(int count) => Top(_exclusive, count);

    /// <summary>The methods that were on the stack most often.</summary>
    public IEnumerable<MethodShare> TopInclusive(int count) => Top(_inclusive, count);

    /// <summary>Who called the methods that were asked for, when these were at work themselves.</summary>
    public IEnumerable<MethodShare> TopStacks(int count) => Top(_stacks, count);

    private IEnumerable<MethodShare> Top(Dictionary<string, int> counts, int count)
        => counts.OrderByDescending(pair => pair.Value).Take(count).Select(pair => new MethodShare(pair.Key, (double)pair.Value / Samples));

    private void Add(TraceCallStack? stack)
    {
        var names = new List<string>();
        for (var frame = stack; frame is not null; frame = frame.Caller)
        {
            if (frame.CodeAddress.FullMethodName is { Length: > 0 } name)
            {
                names.Add(MethodShare.Shorten(name));
            }
        }

        if (names.Count == 0 || IsResting(names[0]))
        {
            return;
        }

        Samples++;
        Count(_exclusive, names[0]);
        if (_where is not null && names[0].Contains(_where, StringComparison.OrdinalIgnoreCase))
        {
            Count(_stacks, string.Join(" < ", names.Take(StackDepth)));
        }

        foreach (var name in names.Distinct())
        {
            Count(_inclusive, name);
        }
    }

    private static bool IsResting(string method) => RestingPlaces.Any(place => method.Contains(place, StringComparison.Ordinal));

    private static void Count(Dictionary<string, int> counts, string name) => counts[name] = counts.GetValueOrDefault(name) + 1;
}
