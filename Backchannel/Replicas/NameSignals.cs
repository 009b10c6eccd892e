namespace Backchannel;

/// <summary>Wakes who waits for something to change of a name.</summary>
internal sealed class NameSignals
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (TaskCompletionSource Changed, int Count)> _waiting = new(StringComparer.Ordinal);

    public void Signal(string name)
    {
        lock (_gate)
        {
            if (_waiting.Remove(name, out var waiting))
            {
                waiting.Changed.SetResult();
            }
        }
    }

    /// <summary>Waits for a change from now on, or for so long. To be called before what may have changed is looked at.</summary>
    public IDisposable Begin(string name, out Task changed)
    {
        lock (_gate)
        {
            var (source, count) = _waiting.TryGetValue(name, out var waiting) ? waiting : (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), 0);
            _waiting[name] = (source, count + 1);
            changed = source.Task;
            return new Waiter(this, name, source);
        }
    }

    private void End(string name, TaskCompletionSource changed)
    {
        lock (_gate)
        {
            if (!_waiting.TryGetValue(name, out var waiting) || waiting.Changed != changed)
            {
                return;
            }

            if (waiting.Count == 1)
            {
                _waiting.Remove(name);
            }
            else
            {
                _waiting[name] = (changed, waiting.Count - 1);
            }
        }
    }

    private sealed class Waiter(NameSignals signals, string name, TaskCompletionSource changed) : IDisposable
    {
        public void Dispose() => signals.End(name, changed);
    }
}
