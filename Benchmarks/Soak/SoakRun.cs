using Benchmarks.Soak.Sessions;
using Benchmarks.Soak.Watching;

namespace Benchmarks.Soak;

/// <summary>One soak: warm-up, samples, end, verdict.</summary>
internal sealed class SoakRun(SoakSettings settings) : IDisposable
{
    private const int Interrupted = 130;

    private readonly long _start = Environment.TickCount64;
    private readonly SoakContext _context = new(settings);

    private TimeSpan Elapsed => TimeSpan.FromMilliseconds(Environment.TickCount64 - _start);

    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(CancellationToken interrupted)
    {
        FixThreads();
        TaskScheduler.UnobservedTaskException += (_, arguments) => _context.Failure.Report("an exception that nobody observed", arguments.Exception);
        Console.WriteLine(FormattableString.Invariant(
            $"soak: {settings.Duration.TotalMinutes:0.##} min, {settings.Sessions} sessions, {settings.Streams} streams at once, --seed {settings.Seed}; warm-up {settings.WarmUp.TotalSeconds:0} s"));

        var work = SoakAsync(interrupted);
        await Task.WhenAny(work, _context.Failure.Message);
        if (!_context.Failure.HasHappened)
        {
            await work;
        }

        if (_context.Failure.HasHappened)
        {
            await Console.Error.WriteLineAsync($"failed: {await _context.Failure.Message} (after {Format(Elapsed)}: {_context.Totals}; --seed {settings.Seed})");
            return 1;
        }

        Console.WriteLine($"{(interrupted.IsCancellationRequested ? "stopped" : "ok")}: {Format(Elapsed)}, {_context.Totals}");
        return interrupted.IsCancellationRequested ? Interrupted : 0;
    }

    public void Dispose() => _context.Dispose();

    // The pool of threads would grow and shrink with the load of the machine, and each thread keeps buffers: neither is a leak,
    // and either would hide one.
    private static void FixThreads()
    {
        var count = Math.Max(16, 2 * Environment.ProcessorCount);
        ThreadPool.SetMinThreads(count, count);
        ThreadPool.SetMaxThreads(count, count);
    }

    private async Task SoakAsync(CancellationToken interrupted)
    {
        using var over = new CancellationTokenSource();
        var growth = new GrowthWatch(sockets: 2 * settings.Sessions);
        var pool = await SessionPool.CreateAsync(_context, over.Token);
        var rest = new Rest(_context, pool);
        var random = new RandomSequence((ulong)settings.Seed);
        var tasks = new List<Task> { new HangWatch(_context).RunAsync(over.Token) };
        for (var index = 0; index < settings.Streams; index++)
        {
            var worker = new Worker(_context, pool, random.Next());
            tasks.Add(Task.Run(() => worker.RunAsync(over.Token), CancellationToken.None));
        }

        await SampleAsync(rest, growth, interrupted);

        // The gate stays closed: nothing new begins.
        await pool.EndAllAsync();
        await over.CancelAsync();
        await Task.WhenAll(tasks);
        var after = await rest.TakeVitalsAsync();
        Console.WriteLine($"  after: {after}");
        Judge(interrupted.IsCancellationRequested ? null : growth.FindGrowth() ?? growth.FindLeft(after));
    }

    // Ends with everything at rest.
    private async Task SampleAsync(Rest rest, GrowthWatch growth, CancellationToken interrupted)
    {
        long openedWarm = 0, allocatedWarm = 0;
        for (var due = settings.Interval; ; due += settings.Interval)
        {
            var wait = due - Elapsed;
            await Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, interrupted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var open = Interlocked.Read(ref _context.Totals.OpenNow);
            await rest.PauseAsync();
            var vitals = await rest.TakeVitalsAsync();
            var warm = Elapsed >= settings.WarmUp;
            var opened = _context.Totals.Opened;
            if (warm)
            {
                growth.Add(opened, vitals);
            }

            var allocated = "warming up";
            if (openedWarm > 0)
            {
                allocated = FormattableString.Invariant($"{(GC.GetTotalAllocatedBytes() - allocatedWarm) / Math.Max(1, opened - openedWarm):N0} bytes allocated a stream");
            }
            else if (warm)
            {
                (openedWarm, allocatedWarm) = (opened, GC.GetTotalAllocatedBytes());
            }

            Console.WriteLine(FormattableString.Invariant($"{Format(Elapsed)}  {_context.Totals}; {open:N0} were open, then at rest {rest.StreamCount} streams, {vitals}, {allocated}"));
            if (interrupted.IsCancellationRequested || Elapsed >= settings.Duration || _context.Failure.HasHappened)
            {
                return;
            }

            rest.Resume();
        }
    }

    private void Judge(string? found)
    {
        if (found is not null)
        {
            _context.Failure.Report(found);
        }
    }

    private static string Format(TimeSpan time) => FormattableString.Invariant($"{(int)time.TotalMinutes}:{time.Seconds:00}");
}
