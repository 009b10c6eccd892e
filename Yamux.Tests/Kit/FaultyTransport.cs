using System.IO.Pipelines;
using Microsoft.Extensions.Logging;

namespace Yamux.Tests.Kit;

/// <summary>An end of a connection in memory.</summary>
public sealed class FaultyTransport(IDuplexPipe inner, TransportFault? fault = null) : IDuplexPipe, IFaultyEnd
{
    private readonly FaultyReader _reader = new(inner.Input, fault?.Side == FaultSide.Read ? fault : null);
    private readonly FaultyWriter _writer = new(inner.Output, fault?.Side == FaultSide.Write ? fault : null);

    public PipeReader Input => _reader;

    public PipeWriter Output => _writer;

    public TransportFault? Fault => fault;

    public Task Reached => fault?.Side == FaultSide.Write ? _writer.Reached : _reader.Reached;

    public FrameTally Received => _reader.Tally;

    public long Written => _writer.Written;

    public bool HasEnded => _reader.HasEnded;

    public bool IsReleased => _reader.IsCompleted && _writer.IsCompleted;

    public YamuxSession CreateSession(YamuxRole role, YamuxOptions options, ILogger logger) => YamuxSession.Create(this, role, options, logger);
}
