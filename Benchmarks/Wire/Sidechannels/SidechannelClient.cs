using System.Buffers.Binary;
using Sidechannel;
using Yamux;

namespace Benchmarks.Wire.Sidechannels;

/// <summary>The caller's end: a registration for each stream.</summary>
internal sealed class SidechannelClient : WireClient
{
    private readonly SidechannelRegistry _registry = new();
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
        await _requests.AsStream().WriteAsync(id);
        return new SidechannelWireStream(await opened.Task, async () =>
        {
            closed.SetResult();
            await waiter.WaitAsync();
        });
    }

    public override async ValueTask DisposeAsync()
    {
        await _session.DisposeAsync();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        await foreach (var stream in _session.AcceptStreamsAsync())
        {
            _ = _registry.ServeAsync(stream);
        }
    }
}
