namespace Yamux.FlowControl;

/// <summary>The credit that the peer has given us on one stream. Not synchronized: the stream's gate guards it.</summary>
internal struct SendWindow
{
    private uint _available;

    public SendWindow(uint initial) => _available = initial;

    /// <summary>How many bytes may be sent now.</summary>
    public readonly uint Available => _available;

    /// <summary>Adds credit. False if the sum does not fit in 32 bits: the peer's error, and nothing was added.</summary>
    public bool TryAdd(uint delta)
    {
        if (delta > uint.MaxValue - _available)
        {
            return false;
        }

        _available += delta;
        return true;
    }

    /// <summary>Takes credit for <paramref name="count"/> bytes, which must be available.</summary>
    public void Take(uint count)
    {
        System.Diagnostics.Debug.Assert(count <= _available, "more was sent than the peer allowed");
        _available -= count;
    }
}
