using System.Net.Security;

namespace Yamux.Tests.Kit;

/// <summary>TLS that notes what was under way when its sending side was ended, which OpenSSL does not bear.</summary>
public sealed class WatchedSslStream(Stream inner) : SslStream(inner)
{
    private int _reads;
    private int _writes;

    /// <summary>How many reads and writes were under way; null: it has not been ended.</summary>
    public (int Reads, int Writes)? AtShutdown { get; private set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _reads);
        try
        {
            return await base.ReadAsync(buffer, cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _reads);
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _writes);
        try
        {
            await base.WriteAsync(buffer, cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _writes);
        }
    }

    public override Task ShutdownAsync()
    {
        AtShutdown = (Volatile.Read(ref _reads), Volatile.Read(ref _writes));
        return base.ShutdownAsync();
    }
}
