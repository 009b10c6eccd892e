namespace Backchannel;

/// <summary>Tasks without the context of whoever starts them: what outlives a call must not keep its Activity and other locals.</summary>
internal static class DetachedTask
{
    public static Task<T> Run<T>(Func<Task<T>> run)
    {
        if (ExecutionContext.IsFlowSuppressed())
        {
            return Task.Run(run);
        }

        using (ExecutionContext.SuppressFlow())
        {
            return Task.Run(run);
        }
    }

    public static Task Run(Func<Task> run) => Run(async () =>
    {
        await run().ConfigureAwait(false);
        return true;
    });
}
