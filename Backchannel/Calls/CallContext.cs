using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Backchannel;

/// <summary>What a call by name takes over from the call in whose handler it is made, and from its options.</summary>
internal sealed class CallContext(IHttpContextAccessor accessor, PeerCallOptions options, TimeProvider timeProvider)
{
    /// <summary>The options for the call. What is to be disposed when it has ended, if anything is.</summary>
    public (CallOptions Options, IDisposable? Link) Apply(CallOptions call)
    {
        if (options.WaitForReady)
        {
            call = call.WithWaitForReady();
        }

        if (options.Timeout is { } timeout && call.Deadline is null)
        {
            call = call.WithDeadline(Earlier(DateTime.MaxValue, timeProvider.GetUtcNow().UtcDateTime, timeout));
        }

        if (!options.PropagateCallContext || accessor.HttpContext?.Features.Get<IServerCallContextFeature>()?.ServerCallContext is not { } handled)
        {
            return (call, null);
        }

        if (handled.Deadline < (call.Deadline ?? DateTime.MaxValue))
        {
            call = call.WithDeadline(handled.Deadline);
        }

        if (!handled.CancellationToken.CanBeCanceled || handled.CancellationToken == call.CancellationToken)
        {
            return (call, null);
        }

        if (!call.CancellationToken.CanBeCanceled)
        {
            return (call.WithCancellationToken(handled.CancellationToken), null);
        }

        var both = CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken, handled.CancellationToken);
        return (call.WithCancellationToken(both.Token), both);
    }

    private static DateTime Earlier(DateTime latest, DateTime now, TimeSpan timeout) => latest - now <= timeout ? latest : now + timeout;
}
