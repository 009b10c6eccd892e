using System.Buffers.Binary;
using Sidechannel;
using Yamux;

namespace Benchmarks.Wire.Sidechannels;

/// <summary>The caller's end: a registration for each stream.</summary>
internal sealed class SidechannelClient : WireClient
{
    private readonly SidechannelRegistry _registry = new();
    private readonly SemaphoreSlim _requesting = new(1);
    private readonly YamuxSession _session;
    private readonly YamuxStream _requests;
    private readonly Task _accepting;

    public SidechannelClient(YamuxSession session, YamuxStream requests)
    {
        _session = session;
        _requests = requests;
        _accepting = AcceptAsync();
    }

    public override async ValueTask<WireStream> OpenAsync()
    {
        var opened = new TaskCompletionSource<SidechannelStream>(TaskCreationOptions.RunContinuationsAsynchronously);
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var waiter = _registry.Register((channel, _) =>
        {
            opened.SetResult(channel);
            return closed.Task;
        });
        var id = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(id, waiter.Id);
        await _requesting.WaitAsync();
        try
        {
            await _requests.AsStream().WriteAsync(id);
        }
        finally
        {
            _requesting.Release();
        }

        return new SidechannelWireStream(await await Task.WhenAny(opened.Task, FailureAsync(waiter)), async () =>
        {
            closed.SetResult();
            await waiter.WaitAsync();
        });
    }

    public override async ValueTask DisposeAsync()
    {
        await _session.DisposeAsync();
        await _accepting;
        _requesting.Dispose();
    }

    // Only if the sidechannel fails before it is open.
    private static async Task<SidechannelStream> FailureAsync(SidechannelWaiter waiter)
    {
        await waiter.Completion;
        throw new WireException("A sidechannel was closed before it was open.");
    }

    private async Task AcceptAsync()
    {
        try
        {
            await foreach (var stream in _session.AcceptStreamsAsync())
            {
                _ = _registry.ServeAsync(stream);
            }
        }
        catch (YamuxException)
        {
            // The server has gone, which whoever uses a sidechannel finds out.
        }
    }
}
