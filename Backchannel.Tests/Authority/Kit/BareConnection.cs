using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Backchannel.Tests.Authority;

/// <summary>A connection in memory whose other end sees when Kestrel is done with it.</summary>
internal sealed class BareConnection : DefaultConnectionContext
{
    public BareConnection(IDuplexPipe transport)
        : base("bare")
    {
        Transport = transport;
        ConnectionClosed = default;
    }

    public override EndPoint? RemoteEndPoint { get; set; } = BackchannelEndPoint.Instance;

    public override void Abort(ConnectionAbortedException abortReason) => Transport.Output.Complete(abortReason);

    public override async ValueTask DisposeAsync()
    {
        await Transport.Output.CompleteAsync();
        await Transport.Input.CompleteAsync();
        await base.DisposeAsync();
    }
}
