using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;

namespace Backchannel.Tests.Kit;

/// <summary>A connection in memory as Kestrel's middleware sees it.</summary>
internal sealed class TestConnection : DefaultConnectionContext
{
    public TestConnection(IDuplexPipe transport)
        : base("test")
    {
        Transport = transport;
        ConnectionClosed = default;
    }

    public bool Aborted { get; private set; }

    public override void Abort(ConnectionAbortedException abortReason) => Aborted = true;
}
