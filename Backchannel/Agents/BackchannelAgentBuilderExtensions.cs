using System.Diagnostics.CodeAnalysis;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Backchannel;

/// <summary>What an agent serves, and what it calls.</summary>
public static class BackchannelAgentBuilderExtensions
{
    private const DynamicallyAccessedMemberTypes ServiceMembers =
        DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.PublicMethods | DynamicallyAccessedMemberTypes.NonPublicMethods;

    /// <summary>Maps a gRPC service that the server may call. It comes from the program's own services, with a scope for each call, interceptors and authorization as in ASP.NET Core; <c>AddGrpc</c> is needed.</summary>
    /// <typeparam name="TService">The service.</typeparam>
    /// <param name="agent">The agent.</param>
    /// <param name="configure">Sets conventions of its endpoints, <c>RequireAuthorization</c> say; null: none.</param>
    /// <returns><paramref name="agent"/>.</returns>
    public static IBackchannelAgentBuilder MapGrpcService<[DynamicallyAccessedMembers(ServiceMembers)] TService>(
        this IBackchannelAgentBuilder agent, Action<GrpcServiceEndpointConventionBuilder>? configure = null)
        where TService : class
        => agent.MapEndpoints(endpoints =>
        {
            var service = endpoints.MapGrpcService<TService>();
            configure?.Invoke(service);
        });

    /// <summary>Maps whatever endpoints the server may reach over the agent's connection. Those of the program's own web application, if it is one, are others.</summary>
    /// <param name="agent">The agent.</param>
    /// <param name="map">Maps them; it may be called again, if a start of the agent's server fails.</param>
    /// <returns><paramref name="agent"/>.</returns>
    public static IBackchannelAgentBuilder MapEndpoints(this IBackchannelAgentBuilder agent, Action<IEndpointRouteBuilder> map)
    {
        ArgumentNullException.ThrowIfNull(agent);
        ArgumentNullException.ThrowIfNull(map);
        agent.Services.AddSingleton(new AgentEndpoints(map));
        return agent;
    }

    /// <summary>
    /// Adds a generated client of one of the server's services to the services, as a singleton: it calls over the connection that the agent has at the time of each call
    /// (<see cref="IBackchannelConnection.Invoker"/>).
    /// </summary>
    /// <typeparam name="TClient">The client, with a public constructor that takes a <see cref="CallInvoker"/>.</typeparam>
    /// <param name="agent">The agent.</param>
    /// <returns><paramref name="agent"/>.</returns>
    public static IBackchannelAgentBuilder AddGrpcClient<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TClient>(this IBackchannelAgentBuilder agent)
        where TClient : ClientBase<TClient>
    {
        ArgumentNullException.ThrowIfNull(agent);
        agent.Services.AddSingleton(services => GeneratedClient<TClient>.Create(services.GetRequiredService<IBackchannelConnection>().Invoker));
        return agent;
    }
}
