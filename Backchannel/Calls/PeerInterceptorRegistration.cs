using Grpc.Core.Interceptors;

namespace Backchannel;

/// <summary>One interceptor that <see cref="BackchannelServerBuilderExtensions.AddPeerInterceptor{TInterceptor}"/> has added.</summary>
internal sealed record PeerInterceptorRegistration(Func<IServiceProvider, Interceptor> Create);
