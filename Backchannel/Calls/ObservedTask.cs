namespace Backchannel;

/// <summary>A part of a call that its caller may leave away: that it failed is told by what is awaited, and not once more as an exception that nobody has observed.</summary>
internal static class ObservedTask
{
    public static Task<T> Of<T>(Task<T> task)
    {
        _ = task.ContinueWith(
            static failed => failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return task;
    }
}
