using System.Diagnostics;

namespace Benchmarks.Agents;

/// <summary>Does something with each of many, some at a time.</summary>
internal static class Crowd
{
    /// <returns>How many seconds that took.</returns>
    public static async Task<double> RunAsync<T>(IReadOnlyCollection<T> all, Func<T, Task> run)
    {
        var start = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(all, new ParallelOptions { MaxDegreeOfParallelism = AgentOptions.AtOnce }, async (each, _) => await run(each));
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
