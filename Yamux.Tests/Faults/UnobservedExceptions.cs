using System.Collections.Concurrent;
using Xunit;
using Yamux.Tests.Kit;

namespace Yamux.Tests.Faults;

/// <summary>
/// Finds exceptions of tasks that nobody has looked at. They belong to the whole process, so whoever uses this runs alone;
/// what was left by others is swept away before.
/// </summary>
internal sealed class UnobservedExceptions : IDisposable
{
    private readonly ConcurrentQueue<Exception> _found = new();

    public UnobservedExceptions()
    {
        Sweep();
        TaskScheduler.UnobservedTaskException += OnFound;
    }

    public void AssertNone()
    {
        Sweep();
        Assert.Empty(_found);
    }

    public void Dispose() => TaskScheduler.UnobservedTaskException -= OnFound;

    // They are reported by finalizers.
    private static void Sweep()
    {
        for (var i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    private void OnFound(object? sender, UnobservedTaskExceptionEventArgs found)
    {
        _found.Enqueue(found.Exception);
        found.SetObserved();
    }
}
