using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ListenMux;

/// <summary>Puts a listener mux on an endpoint.</summary>
public static class ListenMuxConnectionBuilderExtensions
{
    /// <summary>
    /// Tells connections apart by their first 11 bytes. Those that begin with a registered magic go to its handler; every
    /// other one passes on with its bytes unread. With TLS, call it after <c>UseHttps</c>, so that it sees what was encrypted.
    /// </summary>
    /// <param name="builder">The endpoint: Kestrel's <c>ListenOptions</c>, or any other connection builder.</param>
    /// <param name="configure">Registers the handlers.</param>
    /// <returns><paramref name="builder"/>.</returns>
    public static IConnectionBuilder UseListenMux(this IConnectionBuilder builder, Action<ListenMuxBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        var mux = new ListenMuxBuilder();
        configure(mux);
        return builder.Use(next =>
        {
            var logger = builder.ApplicationServices?.GetService<ILoggerFactory>()?.CreateLogger("ListenMux");
            return new ListenMuxMiddleware(mux, next, logger ?? NullLogger.Instance).OnConnectionAsync;
        });
    }
}
