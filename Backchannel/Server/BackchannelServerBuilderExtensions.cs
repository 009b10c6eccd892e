using System.Diagnostics.CodeAnalysis;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Backchannel;

/// <summary>Adds what an application has of its own for its peers.</summary>
public static class BackchannelServerBuilderExtensions
{
    /// <summary>
    /// Adds an interceptor of all calls to peers, behind those of <see cref="BackchannelServerOptions.Interceptors"/> and those that were added before. There is one, whatever number of peers: resolved from the services if it is
    /// registered there, or else made with what they have. <see cref="PeerCallContextExtensions.TryGetCalledPeer"/> tells it who is called.
    /// </summary>
    /// <typeparam name="TInterceptor">The interceptor. It is used by calls at once.</typeparam>
    /// <param name="builder">The server's backchannel.</param>
    /// <returns><paramref name="builder"/>.</returns>
    public static IBackchannelServerBuilder AddPeerInterceptor<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TInterceptor>(this IBackchannelServerBuilder builder)
        where TInterceptor : Interceptor
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddSingleton(new PeerInterceptorRegistration(ActivatorUtilities.GetServiceOrCreateInstance<TInterceptor>));
        return builder;
    }

    /// <summary>Adds an observer of the agents that attach and leave, as a singleton.</summary>
    /// <typeparam name="TObserver">The observer.</typeparam>
    /// <param name="builder">The server's backchannel.</param>
    /// <returns><paramref name="builder"/>.</returns>
    public static IBackchannelServerBuilder AddPeerObserver<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TObserver>(this IBackchannelServerBuilder builder)
        where TObserver : class, IBackchannelPeerObserver
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IBackchannelPeerObserver, TObserver>());
        return builder;
    }
}
