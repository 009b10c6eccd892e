namespace Interop.Tests.Support;

/// <summary>Turns an await that would hang for ever into a failure. No test depends on how long anything takes.</summary>
internal static class HangGuard
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    public static Task Guarded(this Task task) => task.WaitAsync(Limit, TestContext.Current.CancellationToken);

    public static Task<T> Guarded<T>(this Task<T> task) => task.WaitAsync(Limit, TestContext.Current.CancellationToken);

    public static Task Guarded(this ValueTask task) => task.AsTask().Guarded();

    public static Task<T> Guarded<T>(this ValueTask<T> task) => task.AsTask().Guarded();

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
