namespace Yamux.Tests.Kit;

/// <summary>
/// Waits until the thread pool has begun with all that it had to do. A test that moves a clock, looks, and moves it again does so between two looks: where all processors are busy the clock would
/// run hours ahead of what it is to end.
/// </summary>
public static class PoolTurn
{
    public static Task WaitAsync()
    {
        var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ThreadPool.UnsafeQueueUserWorkItem(static turn => turn.SetResult(), turn, preferLocal: false);
        return turn.Task;
    }
}
