using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Backchannel;

/// <summary>Finds endpoints on which HTTP/2, and so gRPC, cannot work as they are configured.</summary>
internal static class EndpointCheck
{
    /// <summary>Whether UseHttps has been called by now. Kestrel shows it in the endpoint's name alone.</summary>
    public static bool HasTls(ListenOptions listen) => listen.ToString()?.StartsWith("https://", StringComparison.Ordinal) == true;

    /// <summary>To be called when the server starts, when the endpoint is as it will be.</summary>
    public static void ThrowIfUnfit(ListenOptions listen, bool hadTls)
    {
        const string Http2Only = "listen.Protocols = HttpProtocols.Http2; (an endpoint of appsettings.json: \"Protocols\": \"Http2\").";
        if (!listen.Protocols.HasFlag(HttpProtocols.Http2))
        {
            throw new InvalidOperationException(
                $"The backchannel cannot work on {listen}: gRPC needs HTTP/2, and its Protocols are {listen.Protocols}. Set {Http2Only}");
        }

        var hasTls = HasTls(listen);
        if (hasTls && !hadTls)
        {
            throw new InvalidOperationException(
                $"The backchannel cannot work on {listen}: it would look at the encrypted bytes. Call listen.UseHttps() before listen.UseBackchannel(); for an endpoint of appsettings.json: kestrel.ConfigurationLoader!.Endpoint(NAME, endpoint => endpoint.ListenOptions.UseHttps(endpoint.HttpsOptions).UseBackchannel());");
        }

        if (!hasTls && listen.Protocols.HasFlag(HttpProtocols.Http1))
        {
            throw new InvalidOperationException(
                $"The backchannel cannot work on {listen}: without TLS there is nothing to negotiate HTTP/2 with, and with Protocols = {listen.Protocols} Kestrel speaks HTTP/1.1 there. Set {Http2Only}");
        }
    }
}
