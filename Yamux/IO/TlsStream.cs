using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Runtime.CompilerServices;

namespace Yamux.IO;

/// <summary>
/// TLS that ends its sending side between two reads and between two writes. <see cref="SslStream.ShutdownAsync"/> alone takes no lock, while a read or a write has one for its turn with
/// OpenSSL, which does not bear two threads at one connection: memory of the whole process is corrupted. Who has made it disposes it.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore without wait handle has nothing to dispose.")]
internal sealed class TlsStream(SslStream inner) : Stream
{
    private readonly SemaphoreSlim _reading = new(1, 1);
    private readonly SemaphoreSlim _writing = new(1, 1);

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>
    /// Tells the peer that nothing more comes, as soon as nothing is written, and a read under way has ended: to cancel it could cost the connection, as that through a proxy.
    /// </summary>
    public async Task ShutdownAsync(CancellationToken cancellationToken)
    {
        Task told;
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await _reading.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                told = inner.ShutdownAsync(); // From its first wait on it has to do with the transport alone.
            }
            finally
            {
                _reading.Release();
            }
        }
        finally
        {
            _writing.Release();
        }

        await told.ConfigureAwait(false);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _reading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _reading.Release(); // Before the next read it is the turn of who waits.
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await inner.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw NewAsynchronousException();

    public override void Write(byte[] buffer, int offset, int count) => throw NewAsynchronousException();

    public override void Flush() => throw NewAsynchronousException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private static NotSupportedException NewAsynchronousException() => new("TLS is read and written asynchronously.");
}
