using System.Buffers;
using System.IO.Pipelines;

namespace Benchmarks.Wire;

/// <summary>A stream of an implementation that gives pipes: servers use these, without a copy; clients write as to any <see cref="Stream"/>.</summary>
internal abstract class DuplexPipeStream(IDuplexPipe pipe, Stream view) : WireStream
{
    public sealed override object Handle => pipe;

    protected IDuplexPipe Pipe => pipe;

    public sealed override ValueTask WriteAsync(ReadOnlyMemory<byte> bytes) => view.WriteAsync(bytes);

    public sealed override ValueTask<int> ReadAsync(Memory<byte> buffer) => view.ReadAsync(buffer);

    public sealed override async Task DiscardAsync(long count)
    {
        var input = pipe.Input;
        while (count > 0)
        {
            var read = await input.ReadAsync();
            var taken = Math.Min(count, read.Buffer.Length);
            input.AdvanceTo(read.Buffer.GetPosition(taken));
            count -= taken;
            if (read.IsCompleted && count > 0 && taken == 0)
            {
                throw new EndOfStreamException($"The stream ended {count} bytes too early.");
            }
        }
    }

    public sealed override async Task EchoAsync()
    {
        while (true)
        {
            var read = await pipe.Input.ReadAsync();
            foreach (var segment in read.Buffer)
            {
                pipe.Output.Write(segment.Span);
            }

            pipe.Input.AdvanceTo(read.Buffer.End);
            if (!read.Buffer.IsEmpty)
            {
                await pipe.Output.FlushAsync();
            }

            if (read.IsCompleted)
            {
                return;
            }
        }
    }

    public sealed override ValueTask CompleteWritesAsync() => pipe.Output.CompleteAsync();
}
