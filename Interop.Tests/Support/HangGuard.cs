using Yamux;

namespace Interop.Tests.Support;

/// <summary>Turns an await that would hang for ever into a failure. No test depends on how long anything takes.</summary>
internal static class HangGuard
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    public static Task Guarded(this Task task) => task.WaitAsync(Limit, TestContext.Current.CancellationToken);

    public static Task<T> Guarded<T>(this Task<T> task) => task.WaitAsync(Limit, TestContext.Current.CancellationToken);

    public static Task Guarded(this ValueTask task) => task.AsTask().Guarded();

    public static Task<T> Guarded<T>(this ValueTask<T> task) => task.AsTask().Guarded();

    /// <summary>What the task fails with, if it fails; never what the guard does, which is a failure of its own.</summary>
    public static async Task<Exception?> FailureOfAsync(Task task)
    {
        await Task.WhenAny(task).Guarded();
        return await Record.ExceptionAsync(() => task);
    }

    /// <summary>Waits for a session to end whose far end has died: without a fault only if that was between two frames.</summary>
    public static async Task LostAsync(Task completion)
    {
        var failure = await FailureOfAsync(completion);
        Assert.True(failure is null or YamuxException { ErrorCode: YamuxErrorCode.ConnectionLost }, $"{failure}");
        TestContext.Current.TestOutputHelper?.WriteLine($"completion: {failure?.Message ?? "without a fault"}");
    }

    /// <summary>The session, whose far end has died, accepts no more streams: it was closed if that was between two frames, or lost.</summary>
    public static async Task AcceptsNoMoreAsync(YamuxSession session)
    {
        var accept = session.AcceptStreamAsync(TestContext.Current.CancellationToken).AsTask();
        if (await FailureOfAsync(accept) is not { } failure)
        {
            Assert.Null(await accept);
            return;
        }

        Assert.Equal(YamuxErrorCode.ConnectionLost, Assert.IsType<YamuxException>(failure).ErrorCode);
    }

    /// <summary>Waits for what has no event of its own.</summary>
    public static Task UntilAsync(Func<bool> condition) => Task.Run(async () =>
    {
        while (!condition())
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }).Guarded();
}
