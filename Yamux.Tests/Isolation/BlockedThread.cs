namespace Yamux.Tests.Isolation;

/// <summary>User code that does not return before the test lets it.</summary>
public sealed class BlockedThread(ManualResetEventSlim released)
{
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Begun => _begun.Task;

    public Task Ended => _ended.Task;

    public void Block()
    {
        _begun.TrySetResult();
        released.Wait();
        _ended.TrySetResult();
    }

    /// <summary>Blocks the thread on which the task completes.</summary>
    public void BlockAfter(Task task)
        => _ = task.ContinueWith(_ => Block(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
}
