namespace Yamux.IO;

/// <summary>
/// Who waits to append Data: first come, first served, and only as many are woken as find room. Guarded by the gate of its <see cref="FrameWriter"/>.
/// </summary>
internal sealed class TurnQueue
{
    private readonly LinkedList<AsyncSignal> _waiting = new();
    private long _promised;

    /// <summary>Whether there is room for this one, which no other was promised or has waited for longer.</summary>
    public bool MayAppend(in SendTurn turn, long room)
        => room > 0 && (turn.Promised > 0 || (_waiting.Count == 0 && room > _promised));

    /// <summary>It waits: at its old place if it has one, before all others if it was its turn.</summary>
    public void Wait(AsyncSignal signal, int wanted)
    {
        ref var turn = ref signal.Turn;
        turn.Wanted = wanted;
        var node = turn.Node ??= new LinkedListNode<AsyncSignal>(signal);
        if (turn.Promised > 0)
        {
            Release(ref turn);
            _waiting.AddFirst(node);
        }
        else if (node.List is null)
        {
            _waiting.AddLast(node);
        }
    }

    /// <summary>It has appended, or will not.</summary>
    public void Leave(ref SendTurn turn)
    {
        Release(ref turn);
        turn.Wanted = 0;
        if (turn.Node?.List is not null)
        {
            _waiting.Remove(turn.Node);
        }
    }

    /// <summary>Wakes those whose turn it is.</summary>
    public void Promise(long room)
    {
        while (_promised < room && _waiting.First is { Value: var signal })
        {
            _waiting.RemoveFirst();
            signal.Turn.Promised = signal.Turn.Wanted;
            _promised += signal.Turn.Promised;
            signal.Set();
        }
    }

    private void Release(ref SendTurn turn)
    {
        _promised -= turn.Promised;
        turn.Promised = 0;
    }
}
