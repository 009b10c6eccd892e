namespace Backchannel.Tests.Links.Kit;

/// <summary>Waits until a process has nothing to do but to wait for bytes or for time. For tests that run alone in it.</summary>
internal static class Stillness
{
    // Between a socket that has become ready and the thread pool stands a thread of the runtime's, which can be asked nothing.
    private const int Looks = 3;

    /// <summary>From a thread that is not of the pool.</summary>
    /// <param name="condition">What must hold besides.</param>
    public static void Wait(Func<bool> condition)
    {
        for (var still = 0; still < Looks;)
        {
            still = condition() && IsPoolAtRest() ? still + 1 : 0;
            Thread.Yield();
        }
    }

    private static bool IsPoolAtRest()
    {
        ThreadPool.GetMaxThreads(out var all, out _);
        ThreadPool.GetAvailableThreads(out var free, out _);
        return free == all && ThreadPool.PendingWorkItemCount == 0;
    }
}
