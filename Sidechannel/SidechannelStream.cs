using Yamux;

namespace Sidechannel;

/// <summary>
/// One end of a sidechannel: bytes in both directions, each ended on its own. One reader and one writer at a time.
/// </summary>
/// <remarks>
/// A read returns 0 only when the other end has ended its bytes; if it fails or vanishes before, the read throws: <see cref="YamuxException"/>, or
/// <see cref="SidechannelException"/> if the caller's bytes end without saying so or are no packets. Writes flush themselves and wait for the
/// other end's credit.
/// </remarks>
public abstract class SidechannelStream : Stream
{
    private protected SidechannelStream(YamuxStream stream)
    {
        Inner = stream;
        Raw = stream.AsStream();
    }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <summary>False: it is a connection.</summary>
    public override bool CanSeek => false;

    /// <summary>Not supported.</summary>
    public override long Length => throw new NotSupportedException();

    /// <summary>Not supported.</summary>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Whether <see cref="Abort"/> was called.</summary>
    internal bool WasAborted { get; private set; }

    private protected YamuxStream Inner { get; }

    private protected Stream Raw { get; }

    /// <summary>
    /// Ends the bytes of this end, all of which arrive, and after which the other end reads 0. Reading goes on. Nothing can be written afterwards.
    /// The second call does nothing.
    /// </summary>
    /// <param name="cancellationToken">Gives up waiting for the other end's credit, and aborts the sidechannel.</param>
    public abstract ValueTask CompleteWritesAsync(CancellationToken cancellationToken = default);

    /// <summary>Ends the sidechannel in both directions, so that the other end fails. What has not been read or sent is lost.</summary>
    /// <param name="reason">What readers and writers of this end get as the inner exception.</param>
    public void Abort(Exception? reason = null)
    {
        WasAborted = true; // Before anybody can see its effect.
        Inner.Abort(reason);
    }

    /// <inheritdoc/>
    public abstract override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default);

    /// <inheritdoc/>
    public abstract override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default);

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count)
        => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count)
        => WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    /// <summary>Does nothing: writes flush themselves.</summary>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Does nothing: writes flush themselves.</summary>
    public override void Flush()
    {
    }

    /// <summary>Not supported.</summary>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <summary>Not supported.</summary>
    public override void SetLength(long value) => throw new NotSupportedException();
}
