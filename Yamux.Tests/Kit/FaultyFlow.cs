using System.Buffers;

namespace Yamux.Tests.Kit;

/// <summary>What a <see cref="TransportFault"/> makes of the reads and writes of a stream.</summary>
internal sealed class FaultyFlow(TransportFault? fault)
{
    private readonly TransportFault? _readFault = fault?.Side == FaultSide.Read ? fault : null;
    private readonly TransportFault? _writeFault = fault?.Side == FaultSide.Write ? fault : null;
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private readonly FrameTally _tally = new();
    private byte[] _given = [];
    private long _seen;
    private long _written;

    public Task Reached => _reached.Task;

    public long Written => Volatile.Read(ref _written);

    public bool HasEnded { get; private set; }

    /// <param name="isOver">Whether nothing is read any more: else what was read last may not have been dealt with.</param>
    public FrameTally Received(bool isOver)
    {
        if (isOver)
        {
            CountGiven();
        }

        return _tally;
    }

    /// <param name="read">Reads into a piece of the buffer.</param>
    /// <param name="buffer">What the caller wants to be filled.</param>
    /// <param name="cancellationToken">The caller's.</param>
    public async ValueTask<int> ReadAsync(Func<Memory<byte>, ValueTask<int>> read, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        CountGiven();
        if (_readFault is not null && _seen >= _readFault.Offset)
        {
            _reached.TrySetResult();
            if (_readFault.Kind != FaultKind.Trickle)
            {
                return await ReadAtFaultAsync(_readFault, cancellationToken);
            }
        }

        var limit = _readFault?.Limit(_seen) - _seen ?? buffer.Length;
        var count = await read(buffer[..(int)Math.Min(buffer.Length, limit)]);
        _seen += count;
        HasEnded = count == 0;
        lock (_gate)
        {
            _given = buffer[..count].ToArray();
        }

        return count;
    }

    /// <param name="write">Writes a piece of the buffer.</param>
    /// <param name="buffer">What the caller wants to be written.</param>
    /// <param name="cancellationToken">The caller's.</param>
    public async ValueTask WriteAsync(Func<ReadOnlyMemory<byte>, ValueTask> write, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        while (!buffer.IsEmpty)
        {
            var limit = _writeFault?.Limit(_written) - _written ?? buffer.Length;
            var piece = buffer[..(int)Math.Min(buffer.Length, limit)];
            if (piece.IsEmpty)
            {
                _reached.TrySetResult();
                await WriteAtFaultAsync(_writeFault!, cancellationToken);
            }

            if (_written >= _writeFault?.Offset)
            {
                _reached.TrySetResult();
                await Task.Yield(); // Who takes one byte at a time does not take them at once.
            }

            await write(piece);
            Volatile.Write(ref _written, _written + piece.Length);
            buffer = buffer[piece.Length..];
        }
    }

    private async ValueTask<int> ReadAtFaultAsync(TransportFault it, CancellationToken cancellationToken)
    {
        if (it.Offset % 2 == 1)
        {
            await Task.Yield(); // Both forms: at once, and later.
        }

        switch (it.Kind)
        {
            case FaultKind.Fail:
                throw it.NewError();
            case FaultKind.End:
                HasEnded = true;
                return 0;
            default:
                await Task.Delay(Timeout.Infinite, cancellationToken);
                return 0;
        }
    }

    // At once: nothing tells when the session knows of what it is told later, and a test could not move the clock then.
    private static async ValueTask WriteAtFaultAsync(TransportFault it, CancellationToken cancellationToken)
    {
        if (it.Kind == FaultKind.Fail)
        {
            throw it.NewError();
        }

        await Task.Delay(Timeout.Infinite, cancellationToken);
    }

    private void CountGiven()
    {
        lock (_gate)
        {
            _tally.Add(new ReadOnlySequence<byte>(_given));
            _given = [];
        }
    }
}
