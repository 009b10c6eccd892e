using Yamux;

namespace Backchannel;

/// <summary>A feature of connections that are yamux streams, visible to their requests: the stream itself.</summary>
public interface IYamuxStreamFeature
{
    /// <summary>
    /// The stream that carries the connection, and through its session whatever else there is between the two. Middleware that serves the connection by
    /// itself may read and write it; in front of HTTP it is to be left alone.
    /// </summary>
    YamuxStream Stream { get; }
}
