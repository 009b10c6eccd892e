using System.Diagnostics;

namespace Backchannel;

/// <summary>The spans of the backchannel. Names of tags: OpenTelemetry's conventions for RPC, and backchannel.* for what they have none for.</summary>
internal static class BackchannelActivities
{
    public const string SourceName = "Backchannel";

    public const string PeerName = "backchannel.peer.name";

    public const string PeerId = "backchannel.peer.id";

    public const string PeerReplica = "backchannel.peer.replica";

    public const string StatusCode = "rpc.grpc.status_code";

    public const string System = "rpc.system";

    public const string Service = "rpc.service";

    public const string Method = "rpc.method";

    public static ActivitySource Source { get; } = new(SourceName);
}
