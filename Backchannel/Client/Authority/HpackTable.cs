namespace Backchannel;

/// <summary>
/// A decoder's dynamic table (RFC 7541, section 4) without its strings: when Kestrel's drops a field, this one does. It grows with what is in it, up
/// to a field for every 32 bytes of its size.
/// </summary>
internal sealed class HpackTable(int limit)
{
    private HpackField[] _fields = []; // A ring.
    private int _oldest;
    private long _maxSize = limit;
    private long _size;

    public int Count { get; private set; }

    /// <summary>The field at <paramref name="index"/>: 0 is the newest. False if there is none.</summary>
    public bool TryGet(int index, out HpackField field)
    {
        var found = index < Count;
        field = found ? _fields[(_oldest + Count - 1 - index) % _fields.Length] : default;
        return found;
    }

    /// <summary>Changes the size, at the encoder's word. False: it is larger than the decoder has allowed.</summary>
    public bool TryResize(int maxSize)
    {
        if (maxSize > limit)
        {
            return false;
        }

        _maxSize = maxSize;
        Evict(room: 0);
        return true;
    }

    /// <summary>Adds a field. One that is larger than the table empties it.</summary>
    public void Add(HpackField field)
    {
        Evict(field.Size);
        if (field.Size > _maxSize)
        {
            return;
        }

        if (Count == _fields.Length)
        {
            Grow();
        }

        _fields[(_oldest + Count) % _fields.Length] = field;
        Count++;
        _size += field.Size;
    }

    private void Evict(long room)
    {
        while (Count > 0 && _size + room > _maxSize)
        {
            _size -= _fields[_oldest].Size;
            _oldest = (_oldest + 1) % _fields.Length;
            Count--;
        }
    }

    private void Grow()
    {
        var fields = new HpackField[Math.Max(16, Count * 2)];
        for (var i = 0; i < Count; i++)
        {
            fields[i] = _fields[(_oldest + i) % _fields.Length];
        }

        (_fields, _oldest) = (fields, 0);
    }
}
