using System.Threading.Tasks.Sources;

namespace Yamux.IO;

/// <summary>
/// Wakes one waiter at a time and can be used again and again without allocating. A signal that comes while nobody waits
/// is kept, once. With Set the waiter runs on the thread pool; with TrySet, where and when the caller lets it.
/// </summary>
internal sealed class AsyncSignal : IValueTaskSource, IThreadPoolWorkItem
{
    private const int Idle = 0;
    private const int Signalled = 1;
    private const int Waiting = 2;

    private ManualResetValueTaskSourceCore<bool> _core;
    private SendTurn _turn;
    private int _state; // Interlocked

    /// <summary>Where its waiter stands in the queue of a <see cref="FrameWriter"/>, whose gate guards it.</summary>
    public ref SendTurn Turn => ref _turn;

    /// <summary>Wakes the waiter, or lets the next one through.</summary>
    public void Set()
    {
        if (TrySet())
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>As <see cref="Set"/>, but if it returns true, the caller must see to it that <see cref="Execute"/> runs.</summary>
    public bool TrySet()
        => Interlocked.CompareExchange(ref _state, Signalled, Idle) == Waiting && Interlocked.CompareExchange(ref _state, Idle, Waiting) == Waiting;

    /// <summary>Lets the waiter that <see cref="TrySet"/> has found go on, on this thread.</summary>
    public void Execute() => _core.SetResult(true);

    /// <summary>Waits for a signal. There must be one waiter at the most.</summary>
    public ValueTask WaitAsync()
    {
        switch (Interlocked.CompareExchange(ref _state, Idle, Signalled))
        {
            case Signalled:
                return ValueTask.CompletedTask;
            case Waiting:
                throw new InvalidOperationException("Somebody else waits already.");
        }

        // Nobody completes it before the state says that somebody waits.
        _core.Reset();
        if (Interlocked.CompareExchange(ref _state, Waiting, Idle) == Idle)
        {
            return new ValueTask(this, _core.Version);
        }

        Volatile.Write(ref _state, Idle); // Signalled this instant.
        return ValueTask.CompletedTask;
    }

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _core.OnCompleted(continuation, state, token, flags);
}
