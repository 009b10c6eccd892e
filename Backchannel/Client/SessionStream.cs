using Yamux;

namespace Backchannel;

/// <summary>
/// The first stream of a session, as the connection that an HTTP client believes it has: disposing it ends the session.
/// </summary>
internal sealed class SessionStream(YamuxStream stream, Action onDisposed) : Stream
{
    private readonly Stream _inner = stream.AsStream();
    private bool _answered;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        => _answered ? _inner.ReadAsync(buffer, cancellationToken) : ReadFirstAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => _inner.ReadAsync(buffer, offset, count, cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => _inner.Read(buffer, offset, count);

    public override int Read(Span<byte> buffer) => _inner.Read(buffer);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        => _inner.WriteAsync(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => _inner.WriteAsync(buffer, offset, count, cancellationToken);

    public override void Write(byte[] buffer, int offset, int count) => _inner.Write(buffer, offset, count);

    public override Task FlushAsync(CancellationToken cancellationToken) => _inner.FlushAsync(cancellationToken);

    public override void Flush() => _inner.Flush();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    // A server that does not know the backchannel takes the magic for a broken HTTP/2 client, and that is what its answer looks like.
    private async ValueTask<int> ReadFirstAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            var count = await _inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            _answered = true;
            return count;
        }
        catch (YamuxException failure) when (failure.ErrorCode is YamuxErrorCode.ProtocolError or YamuxErrorCode.ConnectionLost)
        {
            throw new IOException(
                "The server did not answer as one with a backchannel does. Does its endpoint call listen.UseBackchannel()?", failure);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inner.Dispose();
            onDisposed();
        }

        base.Dispose(disposing);
    }
}
