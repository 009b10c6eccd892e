namespace Yamux.Internal;

/// <summary>
/// Deadlines that all lie the same time ahead, so that the oldest is always the first due: adding and removing cost nothing,
/// and no stream needs a timer of its own. Not synchronized: <see cref="SessionTimer"/> owns it.
/// </summary>
internal sealed class DeadlineQueue
{
    private Deadline? _last;

    public Deadline? First { get; private set; }

    public void Add(Deadline deadline)
    {
        deadline.Queue = this;
        deadline.Previous = _last;
        if (_last is null)
        {
            First = deadline;
        }
        else
        {
            _last.Next = deadline;
        }

        _last = deadline;
    }

    /// <summary>Removes a deadline that is in this queue.</summary>
    public void Remove(Deadline deadline)
    {
        if (deadline.Previous is null)
        {
            First = deadline.Next;
        }
        else
        {
            deadline.Previous.Next = deadline.Next;
        }

        if (deadline.Next is null)
        {
            _last = deadline.Previous;
        }
        else
        {
            deadline.Next.Previous = deadline.Previous;
        }

        deadline.Queue = null;
        deadline.Previous = null;
        deadline.Next = null;
    }
}
