namespace Yamux.IO;

/// <summary>
/// When what was appended is sent: at once by whoever has appended it, or soon, by the thread pool, with what others add meanwhile. So one request and its
/// answer go without a change of threads, and many small writes leave together. Guarded by the gate of its <see cref="FrameWriter"/>.
/// </summary>
internal struct FlushTiming
{
    /// <summary>
    /// A thread that writes for others gives up after so many writes in a row: its own work waits meanwhile. A bound, and not for speed: without it bulk16 had
    /// 0.71 to 1.26 of what it has, echo64 0.98.
    /// </summary>
    public const int MaxWritesInARow = 8;

    // So much that waiting for more would not save much. With 16 KiB `small` had 0.59 (0.55 to 0.87) of what it has.
    private const int WorthOneWrite = 64 * 1024;

    // How often a flush that was put off yields to somebody who is still adding to it. With this `small` rose from 550 to 920 MiB/s (docs/performance.md); on a
    // machine that was busy otherwise it had 0.73 to 1.06 without.
    private const int MaxLooks = 32;

    // How many small writes leave one by one although nothing was read: somebody who has more to say than this goes on. Without the limit `small` had 0.10, and
    // echo64 0.50; with 0 echo1 had 0.66, with 1 open1 had 0.81 and `small` 0.74.
    private const int MaxWritesAlone = 4;

    // How many readers the last transport read has woken that have not answered, and how many writes there were since, up to the limit.
    private int _readersWoken;
    private int _writesSinceInput;

    /// <summary>Whether so much is worth a write of its own.</summary>
    public static bool IsWorthAWrite(int length) => length >= WorthOneWrite;

    /// <summary>The transport was read, and so many readers have Data to answer now.</summary>
    /// <remarks>A hint for the next flush and no more: without a lock it may be overwritten at once, and then one flush is a little late.</remarks>
    public void OnInput(int readersWoken)
    {
        Volatile.Write(ref _readersWoken, readersWoken);
        Volatile.Write(ref _writesSinceInput, 0);
    }

    /// <summary>Data was appended, and so much waits. True if it leaves at once: it is worth it, or answers what was read last.</summary>
    public bool TakeTurn(bool soon, int length)
    {
        // Of the readers that were woken by one transport read, each may have something to say now, and none later.
        var alone = !soon && _readersWoken <= 1 && _writesSinceInput < MaxWritesAlone;
        _readersWoken = Math.Max(_readersWoken - 1, 0);
        if (!alone && length < WorthOneWrite)
        {
            return false;
        }

        _writesSinceInput = Math.Min(_writesSinceInput + 1, MaxWritesAlone);
        return true;
    }

    /// <summary>Whether whoever writes many small pieces, which are bulk by now, is given the time to write some more, which he sends himself when they are worth it.</summary>
    public readonly bool Gathers(int look, int seen, int bulk)
        => look < MaxLooks && _writesSinceInput == MaxWritesAlone && bulk > seen && bulk < WorthOneWrite;
}
