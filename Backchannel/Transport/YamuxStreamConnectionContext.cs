using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Yamux;

namespace Backchannel;

/// <summary>A stream that the peer has opened, as a connection that Kestrel serves.</summary>
internal sealed class YamuxStreamConnectionContext : ConnectionContext, IConnectionTransportFeature, IConnectionLifetimeFeature, IConnectionItemsFeature
{
    private readonly YamuxStream _stream;

    /// <summary>A stream of a session of which nothing is known.</summary>
    public YamuxStreamConnectionContext(YamuxStream stream, string sessionId)
        : this(stream, sessionId, new FeatureCollection())
    {
    }

    /// <summary>A stream within a connection of which something is known, of this stream too.</summary>
    public YamuxStreamConnectionContext(YamuxStream stream, ConnectionContext outer)
        : this(stream, outer.ConnectionId, new FeatureCollection(outer.Features))
    {
        Items = new ConnectionItems(new Dictionary<object, object?>(outer.Items)); // Its own, since others are served beside it.
        LocalEndPoint = outer.LocalEndPoint;
        RemoteEndPoint = outer.RemoteEndPoint;
    }

    private YamuxStreamConnectionContext(YamuxStream stream, string sessionId, FeatureCollection features)
    {
        _stream = stream;
        Features = features;

        // As Kestrel's own transports send: on another thread, so that the answers which are ready by then leave together.
        _stream.CoalesceWrites = true;
        Transport = new KestrelStreamPipe(stream);
        ConnectionId = $"{sessionId}:{stream.Id}";
        ConnectionClosed = stream.Closed;
        Features.Set<IYamuxStreamFeature>(new YamuxStreamFeature(stream));

        // Those of the outer connection would read, and abort, all of it.
        Features.Set<IConnectionTransportFeature>(this);
        Features.Set<IConnectionLifetimeFeature>(this);
        Features.Set<IConnectionItemsFeature>(this);
    }

    public override string ConnectionId { get; set; }

    /// <summary>Called when what was written has been taken by the session, and nobody uses this any more.</summary>
    public Action<YamuxStreamConnectionContext>? Disposed { get; init; }

    public override IFeatureCollection Features { get; }

    public override IDictionary<object, object?> Items { get; set; } = new ConnectionItems();

    public override IDuplexPipe Transport { get; set; }

    public override CancellationToken ConnectionClosed { get; set; }

    public override EndPoint? LocalEndPoint { get; set; } = BackchannelEndPoint.Instance;

    public override EndPoint? RemoteEndPoint { get; set; } = BackchannelEndPoint.Instance;

    public override void Abort(ConnectionAbortedException abortReason) => _stream.Abort(abortReason);

    public override void Abort() => _stream.Abort();

    public override async ValueTask DisposeAsync()
    {
        try
        {
            await _stream.DisposeAsync().ConfigureAwait(false);
            await base.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            Disposed?.Invoke(this);
        }
    }
}
