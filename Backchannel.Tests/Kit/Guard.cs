using Yamux.Tests.Kit;

namespace Backchannel.Tests.Kit;

/// <summary>Keeps a broken product from hanging the tests. No test depends on how long it is.</summary>
internal static class Guard
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>For timeouts that a test is not about: what it sees end has not ended by them, or the guard had seen it before.</summary>
    public static TimeSpan BeyondLimit => TimeSpan.FromHours(1);

    public static Task<T> Guarded<T>(this Task<T> task) => task.WaitAsync(Limit, Xunit.TestContext.Current.CancellationToken);

    public static Task Guarded(this Task task) => task.WaitAsync(Limit, Xunit.TestContext.Current.CancellationToken);

    public static Task<T> Guarded<T>(this ValueTask<T> task) => task.AsTask().Guarded();

    public static Task Guarded(this ValueTask task) => task.AsTask().Guarded();

    /// <summary>Waits for a state that nothing announces.</summary>
    public static Task Until(Func<bool> condition, string what) => Until(() => Task.FromResult(condition()), what);

    /// <summary>Waits for a state that nothing announces.</summary>
    public static async Task Until(Func<Task<bool>> condition, string what)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Xunit.Assert.True(TimeProvider.System.GetElapsedTime(start) < Limit, $"never happened: {what}");
            await PoolTurn.WaitAsync();
        }
    }
}
