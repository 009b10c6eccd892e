using Conformance.Wire;

namespace Interop.Tests.JavaScript;

/// <summary>The frames that went over one connection of ours, read by yamuxspec's few lines and not by the engine's.</summary>
internal sealed class FrameLog
{
    private readonly Lock _lock = new();
    private readonly List<LoggedFrame> _frames = [];
    private readonly Transcript _transcript = new();
    private readonly FrameSplitter _sent = new();
    private readonly FrameSplitter _received = new();

    /// <summary>All so far, in the order in which they passed.</summary>
    public IReadOnlyList<LoggedFrame> Frames
    {
        get
        {
            lock (_lock)
            {
                return [.. _frames];
            }
        }
    }

    /// <summary>What the peer has sent on a stream, each frame as yamuxspec prints it.</summary>
    public IEnumerable<string> Received(uint streamId)
        => Frames.Where(logged => logged.Received && logged.Frame.StreamId == streamId).Select(logged => logged.Frame.ToString());

    /// <summary>The bytes that one side has sent on a stream.</summary>
    public long Data(uint streamId, bool received)
        => Frames.Where(logged => logged.Received == received && logged.Frame.StreamId == streamId && logged.Frame.Type == FrameType.Data)
            .Sum(logged => logged.Frame.Length);

    /// <summary>The most that the peer has ever let us send on a stream beyond what we had sent.</summary>
    public long LargestCredit(uint streamId)
    {
        long credit = Frame.InitialWindow;
        var largest = credit;
        foreach (var (received, frame) in Frames.Where(logged => logged.Frame.StreamId == streamId))
        {
            credit += received && frame.Type == FrameType.WindowUpdate ? frame.Length : 0;
            credit -= !received && frame.Type == FrameType.Data ? frame.Length : 0;
            largest = Math.Max(largest, credit);
        }

        return largest;
    }

    /// <summary>For people: as yamuxspec prints them.</summary>
    public override string ToString() => string.Join('\n', _transcript.Lines);

    public void OnSent(ReadOnlySpan<byte> bytes) => Add(_sent, bytes, received: false);

    public void OnReceived(ReadOnlySpan<byte> bytes) => Add(_received, bytes, received: true);

    private void Add(FrameSplitter splitter, ReadOnlySpan<byte> bytes, bool received)
    {
        lock (_lock)
        {
            foreach (var frame in splitter.Split(bytes))
            {
                _frames.Add(new LoggedFrame(received, frame));
                if (received)
                {
                    _transcript.Received(frame);
                }
                else
                {
                    _transcript.Sent(frame);
                }
            }
        }
    }
}
