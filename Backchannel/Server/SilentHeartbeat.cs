using Microsoft.AspNetCore.Connections.Features;

namespace Backchannel;

/// <summary>
/// A heart that does not beat. Kestrel's times hang on it that take one connection for one HTTP/2 connection: KeepAliveTimeout, which knows nothing of
/// the calls to the client, and the minimum data rates, though the bytes of one stream wait for those of others. yamux's keepalive is in their place.
/// </summary>
internal sealed class SilentHeartbeat : IConnectionHeartbeatFeature
{
    public static SilentHeartbeat Instance { get; } = new();

    public void OnHeartbeat(Action<object> action, object state)
    {
    }
}
