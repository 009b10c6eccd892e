namespace Backchannel;

/// <summary>How many streams of one connection are served, and when the last has been.</summary>
internal sealed class StreamCount
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _count = 1; // Who accepts them.

    public void Begin() => Interlocked.Increment(ref _count);

    public void End()
    {
        if (Interlocked.Decrement(ref _count) == 0)
        {
            _ended.SetResult();
        }
    }

    /// <summary>No more begin.</summary>
    public Task WhenEndedAsync()
    {
        End();
        return _ended.Task;
    }
}
