using BenchmarkDotNet.Attributes;
using Yamux;
using Yamux.Protocol;

namespace Benchmarks.Micro;

/// <summary>Frames without payload that come for a stream, and pings.</summary>
[MemoryDiagnoser]
public class CreditBenchmarks
{
    private YamuxSession _session = null!;
    private LoopTransport _transport = null!;
    private YamuxStream _stream = null!;

    [GlobalSetup]
    public async Task SetupAsync()
    {
        (_transport, _session) = await LoopTransport.StartAsync(YamuxRole.Client);
        _stream = await _session.OpenStreamAsync();
        _transport.Feed(FrameType.WindowUpdate, FrameFlags.Ack, _stream.Id, 0);
    }

    [GlobalCleanup]
    public async Task CleanupAsync()
    {
        _session.Abort();
        await _session.DisposeAsync();
    }

    /// <summary>Look up, add, wake. One byte each, since the sum must stay below 2³².</summary>
    [Benchmark]
    public void ReceiveCredit() => _transport.Feed(FrameType.WindowUpdate, FrameFlags.None, _stream.Id, 1);

    /// <summary>A question and its answer.</summary>
    [Benchmark]
    public void AnswerPing() => _transport.Feed(FrameType.Ping, FrameFlags.Syn, 0, 1);
}
