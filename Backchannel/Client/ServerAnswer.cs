using Yamux;

namespace Backchannel;

/// <summary>What it means that a server ends the session, or a stream, to which it has said nothing yet.</summary>
internal static class ServerAnswer
{
    public static string Explain(YamuxException failure) => failure.ErrorCode switch
    {
        YamuxErrorCode.StreamReset =>
            "The server takes no further HTTP/2 connection over the backchannel's connection: it has as many as it allows (BackchannelServerOptions.MaxHttpConnectionsPerPeer), or is leaving.",

        // A server that does not know the backchannel takes the magic for a broken HTTP/2 client, and that is what its answer looks like.
        _ => "The server did not answer as one with a backchannel does. Does its endpoint call listen.UseBackchannel()? If it does, it has refused this connection.",
    };
}
