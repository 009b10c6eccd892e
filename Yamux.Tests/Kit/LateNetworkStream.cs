using System.Net.Sockets;

namespace Yamux.Tests.Kit;

/// <summary>
/// A socket whose reads, or writes, end when the test says so, and not before: neither by cancellation nor by disposal, as they may where another thread is
/// in the middle of one.
/// </summary>
public sealed class LateNetworkStream(NetworkStream inner, FaultSide late) : NetworkStream(inner.Socket, ownsSocket: true)
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new();
    private volatile bool _isHeld;

    /// <summary>Completes when one has done its work, and is kept from telling.</summary>
    public Task Reached => _reached.Task;

    /// <summary>The next one that ends is kept.</summary>
    public void Hold() => _isHeld = true;

    /// <summary>Lets it end. What waits for it goes on before this returns.</summary>
    public void Release() => _released.SetResult();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await base.ReadAsync(buffer, cancellationToken);
        await HeldAsync(FaultSide.Read);
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await base.WriteAsync(buffer, cancellationToken);
        await HeldAsync(FaultSide.Write);
    }

    private async Task HeldAsync(FaultSide side)
    {
        if (_isHeld && side == late)
        {
            _reached.TrySetResult();
            await _released.Task;
        }
    }
}
