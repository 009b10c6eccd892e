namespace Yamux.Internal;

/// <summary>How many there are, and a wait until there are none. Thread safe, without a lock.</summary>
internal sealed class LiveCount
{
    private int _count;
    private TaskCompletionSource? _none;

    public int Value => Volatile.Read(ref _count);

    public void Increment() => Interlocked.Increment(ref _count);

    public void Decrement()
    {
        if (Interlocked.Decrement(ref _count) == 0)
        {
            Wake();
        }
    }

    /// <summary>Completes when there are none.</summary>
    public async Task WaitForNoneAsync(CancellationToken cancellationToken)
    {
        while (Value != 0)
        {
            var none = Volatile.Read(ref _none);
            if (none is null)
            {
                none = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                none = Interlocked.CompareExchange(ref _none, none, null) ?? none;
            }

            if (Value == 0)
            {
                Wake(); // The last has gone without having seen that somebody waits.
            }

            await none.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void Wake() => Interlocked.Exchange(ref _none, null)?.SetResult();
}
