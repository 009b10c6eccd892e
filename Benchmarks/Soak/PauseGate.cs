namespace Benchmarks.Soak;

/// <summary>
/// Lets the soak be brought to rest, so that what is measured then is what was left behind and not what is under way.
/// Thread safe.
/// </summary>
internal sealed class PauseGate : IDisposable
{
    private readonly Lock _lock = new();
    private TaskCompletionSource? _resumed;
    private CancellationTokenSource _hurry = new();
    private int _busy;

    /// <summary>How much is under way.</summary>
    public int Busy => Volatile.Read(ref _busy);

    /// <summary>Cancelled while the soak comes to rest: what only waits should wait no longer.</summary>
    public CancellationToken Hurry => Volatile.Read(ref _hurry).Token;

    /// <summary>Begins something new, which waits for the end of a pause.</summary>
    public async ValueTask EnterAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task resumed;
            lock (_lock)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (_resumed is null)
                {
                    Interlocked.Increment(ref _busy);
                    return;
                }

                resumed = _resumed.Task;
            }

            await resumed.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Begins what follows from something that is under way.</summary>
    public void Enter() => Interlocked.Increment(ref _busy);

    public void Exit() => Interlocked.Decrement(ref _busy);

    public void Pause()
    {
        lock (_lock)
        {
            _resumed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        _hurry.Cancel();
    }

    public void Resume()
    {
        TaskCompletionSource? resumed;
        lock (_lock)
        {
            resumed = _resumed;
            _resumed = null;
            Volatile.Write(ref _hurry, new CancellationTokenSource()); // The old one may be asked for its token this instant.
        }

        resumed?.SetResult();
    }

    public void Dispose() => _hurry.Dispose();
}
