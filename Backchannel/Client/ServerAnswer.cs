using Yamux;

namespace Backchannel;

/// <summary>What it means that a server ends the session, or a stream, to which it has said nothing yet.</summary>
internal static class ServerAnswer
{
    /// <param name="failure">How it has ended; null: in good order.</param>
    /// <param name="isTls">Whether the connection has TLS.</param>
    public static string Explain(YamuxException? failure, bool isTls) => failure switch
    {
        null => "The server closed the HTTP/2 connection without an answer: it may be about to stop.",
        { ErrorCode: YamuxErrorCode.StreamReset } =>
            "The server takes no further HTTP/2 connection over the backchannel's connection: it has as many as it allows (BackchannelServerOptions.MaxHttpConnectionsPerPeer), or middleware of its ConfigureStreams ended this one.",

        // The first octet of a TLS record: an alert, or a handshake.
        { ReceivedVersion: 0x15 or 0x16 } => "The server speaks TLS: its address must begin with https://.",
        { ReceivedVersion: (byte)'H' } =>
            "The server answers in HTTP/1: it is no gRPC server, or its endpoint does not speak HTTP/2 only. At Kestrel: listen.Protocols = HttpProtocols.Http2, and listen.UseBackchannel().",
        { ReceivedVersion: { } octet } => $"The server is no gRPC server: its answer begins with octet {octet}.",

        // The beginning of SETTINGS, read as a frame of yamux's.
        { ErrorCode: YamuxErrorCode.ProtocolError } =>
            "The server speaks HTTP/2 without a backchannel: its endpoint must call listen.UseBackchannel(). To call it without one, use a handler without one.",
        { ErrorCode: YamuxErrorCode.KeepAliveTimeout or YamuxErrorCode.StreamOpenTimeout or YamuxErrorCode.ConnectionWriteTimeout } =>
            "The server took the connection and said nothing: it may have vanished, or think about whom it lets in (BackchannelServerOptions.OnConnecting).",
        _ => Closed(isTls),
    };

    /// <summary>It has ended the connection.</summary>
    public static string Closed(bool isTls) => isTls
        ? "The server took the connection and closed it without an answer. One that wants a certificate of the client's does so (SslOptions.ClientCertificates), or another one; a server with a backchannel that stops, or refuses a connection (BackchannelServerOptions.OnConnecting), and its log says why."
        : "The server took the connection and closed it without an answer. A port that speaks TLS does so where the address begins with http:// instead of https://; a server with a backchannel that stops, or refuses a connection (BackchannelServerOptions.OnConnecting), and its log says why.";
}
