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

    // Kestrel aborts, too, what it is already about to end, when a handler answers meanwhile: no more than what was sent by then is seen.
    public override void Abort(ConnectionAbortedException abortReason) => Transport.Input.CancelPendingRead();

    public override async ValueTask DisposeAsync()
    {
        await Transport.Output.CompleteAsync();
        await Transport.Input.CompleteAsync();
        await base.DisposeAsync();
    }
}
