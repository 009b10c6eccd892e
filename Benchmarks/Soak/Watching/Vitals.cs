using System.Diagnostics;

namespace Benchmarks.Soak.Watching;

/// <summary>What the process holds.</summary>
/// <param name="Heap">The bytes of the managed heap that are in use.</param>
/// <param name="WorkingSet">The bytes of memory that the process occupies.</param>
/// <param name="Handles">Open files and sockets; on Windows, handles of all kinds.</param>
/// <param name="Threads">Threads.</param>
internal readonly record struct Vitals(long Heap, long WorkingSet, int Handles, int Threads)
{
    /// <summary>Measures after everything that nobody uses has been collected.</summary>
    public static Vitals Take()
    {
        for (var round = 0; round < 2; round++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
        using var process = Process.GetCurrentProcess();
        return new Vitals(GC.GetTotalMemory(forceFullCollection: false), process.WorkingSet64, process.HandleCount, process.Threads.Count);
    }
}
