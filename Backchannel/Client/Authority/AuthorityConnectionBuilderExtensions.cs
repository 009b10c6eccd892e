using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Backchannel;

/// <summary>Puts the filter of authorities in front of Kestrel's HTTP/2.</summary>
internal static class AuthorityConnectionBuilderExtensions
{
    /// <summary>
    /// Lets calls through whose <c>:authority</c> Kestrel takes for an invalid host. Comes last, right in front of HTTP/2.
    /// </summary>
    /// <param name="connections">The endpoint.</param>
    /// <param name="limits">Kestrel's limits, which tell what it will take; read for each connection.</param>
    public static void UseAnyAuthority(this IConnectionBuilder connections, KestrelServerLimits limits) => connections.Use(next => async connection =>
    {
        var transport = connection.Transport;
        var scanner = new Http2Scanner(limits.Http2.HeaderTableSize, limits.Http2.MaxFrameSize, limits.MaxRequestHeadersTotalSize);
        connection.Transport = new AuthorityPipe(new AuthorityReader(transport.Input, scanner), transport.Output);
        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            connection.Transport = transport;
        }
    });
}
