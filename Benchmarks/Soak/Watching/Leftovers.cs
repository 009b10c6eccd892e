using System.Collections.Concurrent;

namespace Benchmarks.Soak.Watching;

/// <summary>
/// Objects that must be gone when nothing uses them any more: all sessions, and some of the streams. What the heap's size
/// shows only after many of them, this shows of a single one. Thread safe.
/// </summary>
internal sealed class Leftovers
{
    private readonly ConcurrentBag<(WeakReference Reference, string What)> _tracked = [];

    public void Track(object target, string what) => _tracked.Add((new WeakReference(target), what));

    /// <summary>After a collection: what is still there, and is not in use. Forgets what is gone.</summary>
    public List<string> Find(Func<object, bool> isInUse)
    {
        var alive = new List<(WeakReference Reference, string What)>();
        var left = new List<string>();
        while (_tracked.TryTake(out var item))
        {
            if (item.Reference.Target is { } target)
            {
                alive.Add(item);
                if (!isInUse(target))
                {
                    left.Add(item.What);
                }
            }
        }

        foreach (var item in alive)
        {
            _tracked.Add(item);
        }

        return left;
    }
}
