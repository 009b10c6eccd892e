using System.Buffers;
using System.IO.Pipelines;

namespace Yamux.Tests.Tuning;

/// <summary>A connection on which bytes arrive some time after they were sent. They move when the test says so, and only then.</summary>
internal sealed class DelayedLink
{
    public DelayedLink(TestTime time, TimeSpan delay)
    {
        Forth = new Direction(time, delay);
        Back = new Direction(time, delay);
        First = new DuplexPipe(Back.Arriving, Forth.Leaving);
        Second = new DuplexPipe(Forth.Arriving, Back.Leaving);
    }

    public DuplexPipe First { get; }

    public DuplexPipe Second { get; }

    /// <summary>What the first end sends.</summary>
    public Direction Forth { get; }

    /// <summary>What the second end sends.</summary>
    public Direction Back { get; }

    internal sealed class Direction(TestTime time, TimeSpan delay)
    {
        private readonly Pipe _leaving = new(DuplexPipe.Unbounded);
        private readonly Pipe _arriving = new(DuplexPipe.Unbounded);
        private readonly Queue<(DateTimeOffset At, byte[] Bytes)> _underWay = [];

        public PipeWriter Leaving => _leaving.Writer;

        public PipeReader Arriving => _arriving.Reader;

        public FrameTally Sent { get; } = new();

        public FrameTally Arrived { get; } = new();

        public bool IsUnderWay => _underWay.Count > 0;

        /// <summary>What was sent by now is under way.</summary>
        public void Send()
        {
            while (_leaving.Reader.TryRead(out var read) && !read.Buffer.IsEmpty)
            {
                Sent.Add(read.Buffer);
                _underWay.Enqueue((time.GetUtcNow() + delay, read.Buffer.ToArray()));
                _leaving.Reader.AdvanceTo(read.Buffer.End);
            }
        }

        /// <summary>What is due by now arrives.</summary>
        public async Task DeliverAsync()
        {
            while (_underWay.TryPeek(out var next) && next.At <= time.GetUtcNow())
            {
                _underWay.Dequeue();
                Arrived.Add(new ReadOnlySequence<byte>(next.Bytes));
                await _arriving.Writer.WriteAsync(next.Bytes).Guarded();
            }
        }
    }
}
