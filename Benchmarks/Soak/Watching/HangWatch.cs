namespace Benchmarks.Soak.Watching;

/// <summary>Finds what makes no progress.</summary>
internal sealed class HangWatch(SoakContext context)
{
    /// <summary>Watches until it is cancelled. Never fails.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var (end, _) in context.Working)
            {
                if (end.Idle > SoakSettings.HangLimit)
                {
                    context.Failure.Report($"no progress for {SoakSettings.HangLimit.TotalSeconds:0} s: {end}");
                    return;
                }
            }
        }
    }
}
