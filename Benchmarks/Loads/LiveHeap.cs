namespace Benchmarks.Loads;

/// <summary>What lives on the heap.</summary>
internal static class LiveHeap
{
    /// <returns>Bytes.</returns>
    public static long Measure()
    {
        // What a connection leaves behind on its way is let go of in several steps.
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
