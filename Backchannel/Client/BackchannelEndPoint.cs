using System.Net;

namespace Backchannel;

/// <summary>Where the client's services are served: nowhere that can be dialled, only on what the server opens.</summary>
internal sealed class BackchannelEndPoint : EndPoint
{
    public static BackchannelEndPoint Instance { get; } = new();

    public override string ToString() => "backchannel";
}
