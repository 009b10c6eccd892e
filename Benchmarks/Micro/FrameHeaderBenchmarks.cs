using BenchmarkDotNet.Attributes;
using Yamux.Protocol;

namespace Benchmarks.Micro;

/// <summary>Twelve bytes to a header and back.</summary>
[MemoryDiagnoser]
public class FrameHeaderBenchmarks
{
    private readonly byte[] _bytes = new byte[FrameHeader.Size];

    [GlobalSetup]
    public void Setup() => Write();

    [Benchmark]
    public uint Read() => FrameHeader.Read(_bytes).Length;

    [Benchmark]
    public void Write() => new FrameHeader(FrameType.Data, FrameFlags.None, 0x01020305, 65_536).Write(_bytes);
}
