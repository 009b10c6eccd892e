using Benchmarks.Micro;
using Yamux;
using Yamux.Protocol;

namespace Benchmarks.Frames;

/// <summary>A server's session, and the frames that bring it to where others are measured.</summary>
internal sealed class FrameTarget(LoopTransport transport, YamuxSession session)
{
    /// <summary>Streams of the peer's, which wait to be accepted.</summary>
    public void Open(IEnumerable<uint> ids) => Feed(new FrameBatch().Add(FrameType.WindowUpdate, FrameFlags.Syn, ids));

    /// <summary>Streams of the peer's, which were accepted.</summary>
    public async Task<IReadOnlyList<YamuxStream>> AcceptAsync(IEnumerable<uint> ids)
    {
        var streams = new List<YamuxStream>();
        Open(ids);
        while (streams.Count < session.StreamCount)
        {
            streams.Add(await session.AcceptStreamAsync() ?? throw new InvalidOperationException("The session was closed."));
        }

        return streams;
    }

    /// <summary>The session has dealt with these frames, and with what follows from them, when this returns.</summary>
    public void Feed(FrameBatch batch)
    {
        transport.Feed(batch.ToBytes());
        Settle();
    }

    /// <summary>The processor time that these frames cost.</summary>
    public TimeSpan Measure(FrameBatch batch)
    {
        var bytes = batch.ToBytes();
        var before = Environment.CpuUsage.TotalTime;
        transport.Feed(bytes);
        Settle();
        return Environment.CpuUsage.TotalTime - before;
    }

    public async Task EndAsync()
    {
        session.Abort();
        await session.DisposeAsync();
    }

    private void Settle()
    {
        while (ThreadPool.PendingWorkItemCount > 0 || session.Writer.IsBusy)
        {
            Thread.Yield();
        }
    }
}
