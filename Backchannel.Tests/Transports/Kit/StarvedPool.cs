namespace Backchannel.Tests.Transports.Kit;

/// <summary>A thread pool of which every thread is blocked, and for which thousands of work items wait. For tests that run alone in the process.</summary>
internal sealed class StarvedPool : IDisposable
{
    private const int Items = 3000;

    private readonly ManualResetEventSlim _released = new();
    private readonly CountdownEvent _left = new(Items);
    private readonly int _workers;
    private readonly int _completions;

    public StarvedPool()
    {
        ThreadPool.GetMaxThreads(out _workers, out _completions);
        ThreadPool.GetMinThreads(out var least, out _);
        ThreadPool.SetMaxThreads(Math.Max(least, Environment.ProcessorCount), _completions); // Or it would add some twice a second.
        for (var i = 0; i < Items; i++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static pool => pool.Block(), this, preferLocal: false);
        }

        SpinWait.SpinUntil(() => FreeThreads <= 0);
    }

    /// <summary>Lets everything go on, and waits until nobody is blocked any more.</summary>
    public void Dispose()
    {
        ThreadPool.SetMaxThreads(_workers, _completions);
        _released.Set();
        _left.Wait();
        _released.Dispose();
        _left.Dispose();
    }

    private static int FreeThreads
    {
        get
        {
            ThreadPool.GetAvailableThreads(out var free, out _);
            return free;
        }
    }

    private void Block()
    {
        _released.Wait();
        _left.Signal();
    }
}
