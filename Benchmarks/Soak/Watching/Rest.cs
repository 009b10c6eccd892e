using Benchmarks.Soak.Sessions;

namespace Benchmarks.Soak.Watching;

/// <summary>Brings the soak to rest: everything that was begun has ended, and no session has a stream.</summary>
internal sealed class Rest(SoakContext context, SessionPool pool)
{
    private const int MaxNamed = 8;

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The streams that the sessions have.</summary>
    public int StreamCount => pool.StreamCount;

    /// <summary>Pauses, and waits for rest. Streams that stay are a failure; so is work that does, of which <see cref="HangWatch"/> tells.</summary>
    public async Task PauseAsync()
    {
        context.Gate.Pause();
        while (context.Gate.Busy > 0 && !context.Failure.HasHappened)
        {
            await Task.Delay(Step);
        }

        // The last FIN or RST may be on its way still.
        var start = Environment.TickCount64;
        while ((pool.StreamCount > 0 || context.Gate.Busy > 0) && !context.Failure.HasHappened)
        {
            if (Environment.TickCount64 - start > Patience.TotalMilliseconds)
            {
                context.Failure.Report($"streams are left, though both their ends were closed {Patience.TotalSeconds:0} s ago: {string.Join("; ", pool.WithStreams())}");
            }

            await Task.Delay(Step);
        }
    }

    public void Resume() => context.Gate.Resume();

    /// <summary>Measures, once nothing is left that must not be.</summary>
    public async Task<Vitals> TakeVitalsAsync()
    {
        var start = Environment.TickCount64;
        while (true)
        {
            var vitals = Vitals.Take();
            var left = context.Leftovers.Find(pool.Uses);
            if (left.Count == 0)
            {
                return vitals;
            }

            if (Environment.TickCount64 - start > Patience.TotalMilliseconds)
            {
                context.Failure.Report($"{left.Count} objects are still referenced {Patience.TotalSeconds:0} s after they were closed: {string.Join("; ", left.Take(MaxNamed))}{(left.Count > MaxNamed ? "; …" : "")}");
                return vitals;
            }

            await Task.Delay(Step * 20);
        }
    }
}
