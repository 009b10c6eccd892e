using BenchmarkDotNet.Attributes;
using Yamux;
using Yamux.Protocol;

namespace Benchmarks.Micro;

/// <summary>A stream from its first frame to its last.</summary>
[MemoryDiagnoser]
public class OpenBenchmarks
{
    private YamuxSession _client = null!;
    private YamuxSession _server = null!;
    private LoopTransport _toClient = null!;
    private LoopTransport _toServer = null!;
    private uint _nextId = 1;

    [GlobalSetup]
    public async Task SetupAsync()
    {
        (_toClient, _client) = await LoopTransport.StartAsync(YamuxRole.Client);
        (_toServer, _server) = await LoopTransport.StartAsync(YamuxRole.Server);
    }

    [GlobalCleanup]
    public async Task CleanupAsync()
    {
        _client.Abort();
        _server.Abort();
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }

    /// <summary>This end opens: SYN, ACK and FIN of the peer's, FIN.</summary>
    [Benchmark]
    public async Task OpenAndCloseAsync()
    {
        var stream = await _client.OpenStreamAsync();
        _toClient.Feed(FrameType.WindowUpdate, FrameFlags.Ack | FrameFlags.Fin, stream.Id, 0);
        await stream.DisposeAsync();
    }

    /// <summary>The peer opens: SYN of the peer's, ACK, FIN of the peer's, FIN.</summary>
    [Benchmark]
    public async Task AcceptAndCloseAsync()
    {
        var id = _nextId;
        _nextId += 2;
        _toServer.Feed(FrameType.WindowUpdate, FrameFlags.Syn, id, 0);
        var stream = await _server.AcceptStreamAsync();
        _toServer.Feed(FrameType.WindowUpdate, FrameFlags.Fin, id, 0);
        await stream!.DisposeAsync();
    }
}
