namespace Yamux.Tests.Kit;

/// <summary>
/// Bounds every wait of a test in real time, so that a broken engine fails a test instead of hanging the run. Nothing ever
/// depends on how long it is.
/// </summary>
public static class Guard
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public static Task Guarded(this Task task) => task.WaitAsync(Limit);

    public static Task<T> Guarded<T>(this Task<T> task) => task.WaitAsync(Limit);

    public static Task Guarded(this ValueTask task) => task.AsTask().WaitAsync(Limit);

    public static Task<T> Guarded<T>(this ValueTask<T> task) => task.AsTask().WaitAsync(Limit);

    /// <summary>Waits until the task has ended, whether well or not; how, counts as seen.</summary>
    public static async Task EndedAsync(Task task)
    {
        await Task.WhenAny(task).Guarded();
        _ = task.Exception;
    }

    /// <summary>Waits until the token is cancelled.</summary>
    public static async Task CancelledAsync(CancellationToken token)
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = token.Register(cancelled.SetResult);
        await cancelled.Task.Guarded();
    }

    /// <summary>The task fails with this error of yamux.</summary>
    public static async Task<YamuxException> FailsWithAsync(YamuxErrorCode code, Task task)
    {
        var error = await Assert.ThrowsAsync<YamuxException>(() => task.Guarded());
        Assert.Equal(code, error.ErrorCode);
        return error;
    }

    /// <inheritdoc cref="FailsWithAsync(YamuxErrorCode, Task)"/>
    public static Task<YamuxException> FailsWithAsync<T>(YamuxErrorCode code, ValueTask<T> task) => FailsWithAsync(code, task.AsTask());
}
