using System.IO.Pipelines;

namespace Yamux.Tests.Kit;

/// <summary>One end of an in-memory connection.</summary>
public sealed class DuplexPipe(PipeReader input, PipeWriter output) : IDuplexPipe
{
    /// <summary>Takes whatever is written to it at once.</summary>
    public static PipeOptions Unbounded { get; } = new(pauseWriterThreshold: 0, useSynchronizationContext: false);

    /// <summary>A flush ends when the other end has looked at every byte, and has ended when that one goes on.</summary>
    public static PipeOptions Rendezvous { get; } = new(
        writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: 1, resumeWriterThreshold: 1, useSynchronizationContext: false);

    public PipeReader Input => input;

    public PipeWriter Output => output;

    /// <summary>Two ends. The options are those of what each end sends.</summary>
    public static (DuplexPipe First, DuplexPipe Second) CreatePair(PipeOptions? first = null, PipeOptions? second = null)
    {
        var fromFirst = new Pipe(first ?? Unbounded);
        var fromSecond = new Pipe(second ?? Unbounded);
        return (new DuplexPipe(fromSecond.Reader, fromFirst.Writer), new DuplexPipe(fromFirst.Reader, fromSecond.Writer));
    }
}
