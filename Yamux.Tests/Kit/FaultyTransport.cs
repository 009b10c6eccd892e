using System.IO.Pipelines;

namespace Yamux.Tests.Kit;

/// <summary>
/// An end of a connection that fails, ends, stalls or trickles after so many bytes on one of its sides. Without a fault it
/// only counts.
/// </summary>
public sealed class FaultyTransport(IDuplexPipe inner, TransportFault? fault = null) : IDuplexPipe
{
    private readonly FaultyReader _reader = new(inner.Input, fault?.Side == FaultSide.Read ? fault : null);
    private readonly FaultyWriter _writer = new(inner.Output, fault?.Side == FaultSide.Write ? fault : null);

    public PipeReader Input => _reader;

    public PipeWriter Output => _writer;

    public bool HasFault => fault is not null;

    /// <summary>Completes when the fault shows.</summary>
    public Task Reached => fault?.Side == FaultSide.Write ? _writer.Reached : _reader.Reached;

    /// <summary>What the session was given, and has dealt with.</summary>
    public FrameTally Received => _reader.Tally;

    /// <summary>How many bytes were taken from the session.</summary>
    public long Written => _writer.Written;

    /// <summary>Whether the session was told that its peer sends nothing more.</summary>
    public bool HasEnded => _reader.HasEnded;

    /// <summary>Whether the session has let go of both sides.</summary>
    public bool IsCompleted => _reader.IsCompleted && _writer.IsCompleted;
}
