using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Backchannel;

/// <summary>Maps what agents call.</summary>
public static class BackchannelEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps <c>backchannel.v1.Attachment</c>, the gRPC service that agents attach with, so that they can be called by name through <see cref="IBackchannelPeers"/>.
    /// </summary>
    /// <remarks>
    /// An agent's name comes from who it has authenticated as (<see cref="IBackchannelPeerNameProvider"/>); without authentication all are refused, unless
    /// <see cref="BackchannelServerOptions.TrustNamesOfClients"/> is set.
    /// </remarks>
    /// <param name="endpoints">The application.</param>
    /// <returns>The endpoint's conventions: <c>MapBackchannel().RequireAuthorization()</c>.</returns>
    /// <exception cref="InvalidOperationException"><c>AddBackchannel</c> or <c>AddGrpc</c> was not called.</exception>
    public static GrpcServiceEndpointConventionBuilder MapBackchannel(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        if (endpoints.ServiceProvider.GetService<BackchannelRegistry>() is null)
        {
            throw new InvalidOperationException("MapBackchannel needs its services: call builder.Services.AddBackchannel().");
        }

        return endpoints.MapGrpcService<AttachmentService>();
    }
}
