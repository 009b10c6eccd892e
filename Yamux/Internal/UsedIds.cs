namespace Yamux.Internal;

/// <summary>
/// Remembers which stream ids the peer has used, so that none is used twice. Not synchronized: the receive loop owns it.
/// </summary>
/// <remarks>
/// <para>Ids need not come in order: hashicorp/yamux takes an id and queues its SYN in two steps, so that streams opened by
/// several goroutines overtake each other. It can be at most as many as wait to be acknowledged; an id that lies further
/// back than the window is taken for used.</para>
/// <para>It is the window that IPsec keeps against replay, without shifting bits (RFC 6479): the memory is 520 bytes, and an id costs
/// at most as many words as there are, cleared in one go, whatever ids the peer chooses.</para>
/// </remarks>
internal sealed class UsedIds
{
    /// <summary>How far back, in streams, an id may be late.</summary>
    public const int Window = 4096;

    private const int BitsPerWord = 64;

    // One bit for each of the last ids of the peer's parity, in a ring of words. A word more than the window has: it begins within one.
    private readonly ulong[] _words = new ulong[(Window / BitsPerWord) + 1];
    private uint _highest;

    /// <summary>Takes an id. False if it was used before, or would come too late to know.</summary>
    public bool TryUse(uint id)
    {
        var number = (id >> 1) + (id & 1);
        if (number > _highest)
        {
            Clear(_highest / BitsPerWord, number / BitsPerWord);
            _highest = number;
        }
        else if (_highest - number >= Window)
        {
            return false;
        }

        ref var word = ref _words[number / BitsPerWord % _words.Length];
        var bit = 1ul << (int)(number % BitsPerWord);
        var isNew = (word & bit) == 0;
        word |= bit;
        return isNew;
    }

    // The words after the one to the other: they are those of ids that have fallen out of the window.
    private void Clear(uint after, uint to)
    {
        var count = (int)Math.Min(to - after, (uint)_words.Length);
        var first = (int)((after + 1) % (uint)_words.Length);
        var atEnd = Math.Min(count, _words.Length - first);
        _words.AsSpan(first, atEnd).Clear();
        _words.AsSpan(0, count - atEnd).Clear();
    }
}
