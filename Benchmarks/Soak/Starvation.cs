namespace Benchmarks.Soak;

/// <summary>
/// Blocks all threads of the pool for a while, again and again, as blocking work of a user's does. Both ends are late then, and no peer is silent.
/// </summary>
internal sealed class Starvation(SoakContext context)
{
    /// <summary>Runs until it is cancelled. Not at rest: a sample waits for its end.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        ThreadPool.GetMaxThreads(out var threads, out _);
        try
        {
            while (true)
            {
                await Task.Delay(context.Settings.Interval / 3, cancellationToken);
                await context.Gate.EnterAsync(cancellationToken);
                await Task.WhenAll(Enumerable.Range(0, threads).Select(_ => Task.Run(() => Thread.Sleep(context.Settings.Starvation), CancellationToken.None)));
                Interlocked.Increment(ref context.Totals.Starvations);
                context.Gate.Exit();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The soak is over.
        }
    }
}
