namespace Yamux.Internal;

/// <summary>
/// How something ended, as a task for whoever asks; nobody pays for it otherwise, and nobody must look at its failure. Set once. Guarded by the
/// stream's gate: a task that somebody has is completed on the thread pool, since that may run a scheduler's code.
/// </summary>
internal struct Outcome
{
    // Null; the source of a task that somebody has; the failure; or the task for whoever asks from now on.
    private object? _state;

    public readonly bool IsSet => _state is YamuxException or System.Threading.Tasks.Task;

    public Task Task
    {
        get
        {
            _state = _state switch
            {
                null => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously),
                YamuxException failure => NewFailed(failure),
                _ => _state,
            };
            return _state as Task ?? ((TaskCompletionSource)_state).Task;
        }
    }

    /// <summary>It has ended: well, if there is no failure. Only the first has an effect.</summary>
    public void Set(YamuxException? failure = null)
    {
        if (IsSet)
        {
            return;
        }

        var asked = _state as TaskCompletionSource;
        _state = failure ?? (object)Task.CompletedTask;
        if (asked is not null)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static end => Complete(end.asked, end.failure), (asked, failure), preferLocal: false);
        }
    }

    private static Task NewFailed(YamuxException failure)
    {
        var source = new TaskCompletionSource();
        Complete(source, failure);
        return source.Task;
    }

    private static void Complete(TaskCompletionSource source, YamuxException? failure)
    {
        if (failure is null)
        {
            source.SetResult();
            return;
        }

        source.SetException(failure.ForCaller());
        _ = source.Task.Exception; // Observed: whoever does not look at it does not care.
    }
}
