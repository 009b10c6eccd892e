namespace Yamux.Internal;

/// <summary>
/// Remembers which stream ids the peer has used, so that none is used twice. Not synchronized: the receive loop owns it.
/// </summary>
/// <remarks>
/// Ids need not come in order: hashicorp/yamux takes an id and queues its SYN in two steps, so that streams opened by
/// several goroutines overtake each other. It can be at most as many as wait to be acknowledged; an id that lies further
/// back than the window is taken for used. The memory is 512 bytes whatever the peer does.
/// </remarks>
internal sealed class UsedIds
{
    /// <summary>How far back, in streams, an id may be late.</summary>
    public const int Window = 4096;

    // One bit for each of the last ids of the peer's parity; the place of the n-th is n modulo the window.
    private readonly ulong[] _used = new ulong[Window / 64];
    private uint _highest;

    /// <summary>Takes an id. False if it was used before, or would come too late to know.</summary>
    public bool TryUse(uint id)
    {
        var number = (id >> 1) + (id & 1);
        if (number > _highest)
        {
            for (var skipped = Math.Max(_highest + 1, number - Math.Min(number, Window - 1)); skipped < number; skipped++)
            {
                Word(skipped) &= ~Bit(skipped);
            }

            _highest = number;
        }
        else if (_highest - number >= Window || (Word(number) & Bit(number)) != 0)
        {
            return false;
        }

        Word(number) |= Bit(number);
        return true;
    }

    private static ulong Bit(uint number) => 1ul << (int)(number % 64);

    private ref ulong Word(uint number) => ref _used[number % Window / 64];
}
