using Benchmarks.CommandLine;
using Benchmarks.Soak.Sessions;
using Benchmarks.Soak.Watching;

namespace Benchmarks.Soak;

/// <summary>One soak: warm-up, samples, end, verdict.</summary>
internal sealed class SoakRun(SoakSettings settings) : IDisposable
{
    private readonly long _start = Environment.TickCount64;
    private readonly SoakContext _context = new(settings);

    private TimeSpan Elapsed => TimeSpan.FromMilliseconds(Environment.TickCount64 - _start);

    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(CancellationToken interrupted)
    {
        FixThreads();
        TaskScheduler.UnobservedTaskException += (_, arguments) => _context.Failure.Report("an exception that nobody observed", arguments.Exception.InnerException ?? arguments.Exception);
        Console.WriteLine(FormattableString.Invariant(
            $"soak: {settings.Duration.TotalMinutes:0.##} min, {settings.Sessions} sessions, {settings.Streams} streams at once, --seed {settings.Seed}; warm-up {settings.WarmUp.TotalSeconds:0} s"));

        Console.WriteLine(Report.Header);
        var work = SoakAsync(interrupted);
        await Task.WhenAny(work, _context.Failure.Message);
        if (!_context.Failure.HasHappened)
        {
            await work;
        }

        if (_context.Failure.HasHappened)
        {
            await Console.Error.WriteLineAsync($"failed: {await _context.Failure.Message} (after {Report.Time(Elapsed)}: {_context.Totals}; --seed {settings.Seed})");
            return ExitCode.Failure;
        }

        Console.WriteLine($"{(interrupted.IsCancellationRequested ? "stopped" : "ok")}: {Report.Time(Elapsed)}, {_context.Totals}");
        return interrupted.IsCancellationRequested ? ExitCode.Interrupted : ExitCode.Success;
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
        await using var pool = await SessionPool.CreateAsync(_context, over.Token);
        var growth = new GrowthWatch(pool.Sockets);
        var rest = new Rest(_context, pool);
        var random = new RandomSequence((ulong)settings.Seed);
        new HangWatch(_context).Start();
        var workers = new List<Task>();
        for (var index = 0; index < settings.Streams; index++)
        {
            var worker = new Worker(_context, pool, random.Next());
            workers.Add(Task.Run(() => worker.RunAsync(over.Token), CancellationToken.None));
        }

        workers.Add(new Starvation(_context).RunAsync(over.Token));
        await SampleAsync(rest, growth, interrupted);

        // The gate stays closed: nothing new begins.
        await pool.EndAllAsync();
        await over.CancelAsync();
        await Task.WhenAll(workers);
        var after = await rest.TakeVitalsAsync();
        Console.WriteLine(Report.Line(Elapsed, _context.Totals, 0, rest.StreamCount, after, growth.AllocatedPerStream));
        if (!interrupted.IsCancellationRequested && (growth.FindGrowth() ?? growth.FindLeft(after)) is { } found)
        {
            _context.Failure.Report(found);
        }
    }

    // Ends with everything at rest.
    private async Task SampleAsync(Rest rest, GrowthWatch growth, CancellationToken interrupted)
    {
        while (true)
        {
            // At whole intervals, wherever in one the last sample has ended.
            var wait = settings.Interval - TimeSpan.FromTicks(Elapsed.Ticks % settings.Interval.Ticks);
            await Task.Delay(wait, interrupted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var open = Interlocked.Read(ref _context.Totals.OpenNow);
            await rest.PauseAsync();
            var sample = new Sample(_context.Totals.Opened, GC.GetTotalAllocatedBytes(), await rest.TakeVitalsAsync());
            if (Elapsed >= settings.WarmUp)
            {
                growth.Add(sample);
            }

            Console.WriteLine(Report.Line(Elapsed, _context.Totals, open, rest.StreamCount, sample.Vitals, growth.AllocatedPerStream));
            if (interrupted.IsCancellationRequested || Elapsed >= settings.Duration || _context.Failure.HasHappened)
            {
                return;
            }

            rest.Resume();
        }
    }
}
