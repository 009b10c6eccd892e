using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Options;

namespace Backchannel;

/// <summary>The interceptors of the calls to all peers: those of the options, and behind them those of the container.</summary>
internal sealed class PeerInterceptors(IOptions<BackchannelServerOptions> options, IEnumerable<PeerInterceptorRegistration> registrations, IServiceProvider services)
{
    private readonly Interceptor[] _all = [.. options.Value.Interceptors, .. registrations.Select(registration => registration.Create(services))];

    /// <summary>Puts them before the calls to a peer; the first is the outermost.</summary>
    public CallInvoker Intercept(CallInvoker invoker, ICallee peer)
    {
        for (var i = _all.Length - 1; i >= 0; i--)
        {
            invoker = invoker.Intercept(_all[i]).Intercept(new CalledPeerInterceptor(peer));
        }

        return invoker;
    }
}
