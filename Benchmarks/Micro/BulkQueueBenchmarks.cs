using System.Buffers;
using BenchmarkDotNet.Attributes;
using Yamux.IO;

namespace Benchmarks.Micro;

/// <summary>A full queue of bulk that is taken, in as many small frames as there can be, of streams by turns.</summary>
public class BulkQueueBenchmarks
{
    private const int Frames = 10_000; // 128 KiB of 13 bytes each.
    private const int Taken = 64 * 1024;

    private static readonly ReadOnlySequence<byte> Byte = new(new byte[1]);

    private readonly BulkQueue _queue = new();

    /// <summary>Of how many streams they are.</summary>
    [Params(2, 1024)]
    public int Streams { get; set; }

    [Benchmark(OperationsPerInvoke = Frames)]
    public void TakeAll() => Run(dropEvery: int.MaxValue);

    /// <summary>Every other stream was aborted: nothing that is taken lies together.</summary>
    [Benchmark(OperationsPerInvoke = Frames)]
    public void TakeBetweenDropped() => Run(dropEvery: 2);

    [Benchmark(OperationsPerInvoke = Frames)]
    public void TakeNothing() => Run(dropEvery: 1);

    private void Run(int dropEvery)
    {
        for (var i = 0; i < Frames; i++)
        {
            _queue.AppendData((uint)(i % Streams) + 1, Byte, Taken);
        }

        for (var id = dropEvery; id <= Streams; id += dropEvery)
        {
            _queue.Drop((uint)id);
        }

        while (_queue.Waiting > 0)
        {
            _queue.Take(Taken);
            _queue.OnWritten(_queue.Taken);
        }
    }
}
