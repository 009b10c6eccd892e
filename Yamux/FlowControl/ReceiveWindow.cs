using System.Diagnostics;
using Yamux.Protocol;

namespace Yamux.FlowControl;

/// <summary>
/// The credit that we have given the peer on one stream, and when to give more. Not synchronized: the stream's gate guards it.
/// </summary>
/// <remarks>
/// <para>At all times: bytes the peer may still send + bytes received and not consumed + bytes consumed and not yet credited
/// = size + overdraft. So what a stream can hold is bounded by its size, but for what its own reader asked for.</para>
/// <para>Growth adds the same to the size and to what the peer may send: the sum stays right, and the credit ever given, with the
/// initial 262,144, is what was consumed and credited + size + overdraft. But for the first, it comes with credit for what was consumed, and then
/// nothing is lent: a loan is repaid before anything consumed counts, so there is no overdraft while anything waits to be credited.</para>
/// <para>What the peer may send stays below 2³²: a size is at most 1 GiB, an overdraft at most 1 MiB.</para>
/// </remarks>
internal struct ReceiveWindow
{
    /// <summary>The most that a reader is lent beyond the window.</summary>
    public const uint MaxLoan = 1024 * 1024;

    private const uint LargestCredit = 2 * 1024 * 1024;

    private uint _size;
    private uint _remaining;
    private uint _uncredited;
    private uint _overdraft;
    private bool _isTold;

    public ReceiveWindow(uint size)
    {
        _size = size;
        _remaining = size;
    }

    /// <summary>How many bytes the stream may hold, but for what its reader was lent.</summary>
    public readonly uint Size => _size;

    /// <summary>How many bytes the reader was lent and has not repaid.</summary>
    public readonly uint Overdraft => _overdraft;

    /// <summary>How many bytes the peer may still send.</summary>
    public readonly uint Remaining => _remaining;

    /// <summary>Whether the peer knows how large the window is: it was given credit, or told with the SYN.</summary>
    public readonly bool IsTold => _isTold;

    /// <summary>The peer knows.</summary>
    public void OnTold() => _isTold = true;

    /// <summary>Enlarges the window, as the delta on a SYN, an ACK or further credit tells the peer.</summary>
    public void Grow(uint delta)
    {
        _size += delta;
        _remaining += delta;
    }

    /// <summary>Takes the credit of a frame of <paramref name="length"/> bytes. False if the peer had not that much.</summary>
    public bool TryReceive(uint length)
    {
        if (length > _remaining)
        {
            return false;
        }

        _remaining -= length;
        return true;
    }

    /// <summary>
    /// Of how many consumed bytes credit falls due: of half of the window, or 2 MiB, so that credit costs one frame for that much. Of a large window half would be too
    /// late: on a long link the peer would stand still until it comes. At first it is half of what the peer knows of.
    /// </summary>
    public readonly uint Due => Math.Min((_isTold ? _size : FrameHeader.InitialWindow) / 2, LargestCredit);

    /// <summary>The reader has consumed <paramref name="count"/> bytes. Returns the credit to send now: nothing until it is <see cref="Due"/>.</summary>
    /// <param name="count">How many bytes.</param>
    /// <param name="repaid">How many of them repay what the reader was lent.</param>
    public uint Consume(uint count, out uint repaid)
    {
        repaid = Math.Min(count, _overdraft);
        _overdraft -= repaid;
        _uncredited += count - repaid;
        return _uncredited >= Due ? TakeCredit() : 0;
    }

    /// <summary>The peer has no credit left, and the reader waits for more: returns what was consumed, to be given now.</summary>
    public uint Starve()
    {
        Debug.Assert(_remaining == 0, "a reader starved while the peer had credit");
        return TakeCredit();
    }

    /// <summary>
    /// How much the reader may be lent now, if the peer has no credit left and there is nothing to give it: half a window, and
    /// <see cref="MaxLoan"/> in all. 0: nothing more will come.
    /// </summary>
    /// <remarks>
    /// Without a loan, a reader that waits for a message larger than the window waits for ever. What is lent is taken from
    /// the credit of the next bytes that are consumed.
    /// </remarks>
    public readonly uint LoanWanted => Math.Min(_size / 2, MaxLoan - _overdraft);

    /// <summary>Lends so much more than the window, which becomes credit at once.</summary>
    public uint Lend(uint loan)
    {
        Debug.Assert(_remaining == 0 && _uncredited == 0, "a loan was given beside credit");
        _overdraft += loan;
        _remaining += loan;
        return loan;
    }

    private uint TakeCredit()
    {
        var credit = _uncredited;
        _uncredited = 0;
        _isTold |= credit != 0;
        _remaining += credit;
        Debug.Assert(_remaining <= (ulong)_size + _overdraft, "more credit was given than the window holds");
        return credit;
    }
}
