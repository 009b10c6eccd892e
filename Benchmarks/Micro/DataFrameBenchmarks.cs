using System.IO.Pipelines;
using BenchmarkDotNet.Attributes;
using Yamux;
using Yamux.Protocol;

namespace Benchmarks.Micro;

/// <summary>One Data frame through a session, from the transport to the reader, and from the writer to the transport.</summary>
[MemoryDiagnoser]
public class DataFrameBenchmarks
{
    private YamuxSession _session = null!;
    private LoopTransport _transport = null!;
    private YamuxStream _stream = null!;
    private Stream _adapter = null!;
    private byte[] _frame = null!;
    private byte[] _payload = null!;

    /// <summary>Bytes of payload.</summary>
    [Params(64, 1024, 65_536)]
    public int Length { get; set; }

    [GlobalSetup]
    public async Task SetupAsync()
    {
        (_transport, _session) = await LoopTransport.StartAsync(YamuxRole.Client);
        _stream = await _session.OpenStreamAsync();
        _adapter = _stream.AsStream();
        _transport.Feed(FrameType.WindowUpdate, FrameFlags.Ack, _stream.Id, 0);
        _frame = LoopTransport.DataFrame(_stream.Id, Length);
        _payload = new byte[Length];
    }

    [GlobalCleanup]
    public async Task CleanupAsync()
    {
        _session.Abort();
        await _session.DisposeAsync();
    }

    /// <summary>Parse, copy, wake, read, consume, and a credit for each half window.</summary>
    [Benchmark]
    public long Receive()
    {
        _transport.Feed(_frame);
        if (!_stream.Input.TryRead(out var read) || read.Buffer.Length is var length && length != Length)
        {
            throw new InvalidOperationException("The frame has not arrived.");
        }

        _stream.Input.AdvanceTo(read.Buffer.End);
        return length;
    }

    /// <summary>Take credit, header, copy, flush. It is given as much credit as it takes, in a frame of its own.</summary>
    [Benchmark]
    public ValueTask SendThroughStreamAsync()
    {
        Credit();
        return _adapter.WriteAsync(_payload);
    }

    /// <summary>The same from the stream's own buffer, as Kestrel writes.</summary>
    [Benchmark]
    public ValueTask<FlushResult> SendThroughPipeAsync()
    {
        Credit();
        var output = _stream.Output;
        for (var left = Length; left > 0;)
        {
            var memory = output.GetMemory();
            var count = Math.Min(left, memory.Length);
            output.Advance(count);
            left -= count;
        }

        return output.FlushAsync();
    }

    private void Credit() => _transport.Feed(FrameType.WindowUpdate, FrameFlags.None, _stream.Id, (uint)Length);
}
