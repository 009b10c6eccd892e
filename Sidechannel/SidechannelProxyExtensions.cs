using Backchannel;
using Grpc.Core;
using Yamux;

namespace Sidechannel;

/// <summary>Hands on calls with their sidechannels, in a server that sits between the caller and the handler, as Praefect does.</summary>
public static class SidechannelProxyExtensions
{
    /// <summary>
    /// Makes a call onwards, in the handler of the call that it is made for. When the far handler opens the sidechannel, the caller's is opened too, and
    /// bytes are copied both ways, each end waiting for the other's reader.
    /// </summary>
    /// <remarks>
    /// Ends only when the call has ended and the last byte of its handler's has passed: a status that overtakes them would have the caller leave before
    /// they arrive. If it ends as Cancelled or DeadlineExceeded, the copying is given up with it. A call without a sidechannel is just made, with no headers.
    /// </remarks>
    /// <param name="onwards">The registry of the connection that the call is made on.</param>
    /// <param name="context">The call that came in.</param>
    /// <param name="call">Makes the call onwards, with these headers; more may be added. The token of <paramref name="context"/> should be its own.</param>
    /// <param name="session">
    /// The session that the call is made on, and that alone may open the sidechannel: <see cref="BackchannelPeer.Session"/>, if it is a call of a server's to its client.
    /// Null for a client's.
    /// </param>
    /// <returns>What the call returned.</returns>
    /// <exception cref="RpcException">
    /// The call failed; or it succeeded and the copying did not, or it failed and the caller's bytes were none of a sidechannel's, or the caller did not accept it
    /// (<see cref="StatusCode.Internal"/>); or
    /// <paramref name="context"/> offers no sidechannel that could be opened, as <see cref="SidechannelOpenExtensions.OpenSidechannelAsync(ServerCallContext)"/> tells.
    /// </exception>
    /// <exception cref="InvalidOperationException"><paramref name="onwards"/> is a server's, and no session was named. Nothing was sent.</exception>
    public static async Task<TResponse> ProxyAsync<TResponse>(
        this SidechannelRegistry onwards, ServerCallContext context, Func<Metadata, AsyncUnaryCall<TResponse>> call, YamuxSession? session = null)
    {
        ArgumentNullException.ThrowIfNull(onwards);
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(call);
        onwards.ThrowIfUnnamed(session); // Also for a call without a sidechannel: it does not depend on who calls.
        if (!SidechannelId.IsIn(context.RequestHeaders))
        {
            using var plain = call([]);
            return await plain.ResponseAsync.ConfigureAwait(false);
        }

        _ = SidechannelOpenExtensions.FindSidechannel(context); // What is wrong with it is told before anything is done.
        using var callEnded = new CancellationTokenSource();
        var relay = new SidechannelRelay(context, callEnded.Token);
        var waiter = onwards.Register(relay.RunAsync, session, context.CancellationToken);
        await using (waiter.ConfigureAwait(false))
        {
            TResponse response;
            try
            {
                using var running = call(waiter.Metadata);
                response = await running.ResponseAsync.ConfigureAwait(false);
            }
            catch (Exception failure) when (SidechannelWaiter.IsGivenUp(failure))
            {
                waiter.Cancel();
                throw;
            }
            catch (Exception)
            {
                await EndAsync().ConfigureAwait(false);
                if (relay.CallerFailure is { } cause)
                {
                    throw Failed(cause);
                }

                throw;
            }

            await EndAsync().ConfigureAwait(false);
            if (relay.Completion is { IsCompletedSuccessfully: false } failed)
            {
                throw Failed(relay.CallerFailure ?? failed.Exception?.InnerException ?? new OperationCanceledException("The call was cancelled.", context.CancellationToken));
            }

            return response;
        }

        // If the handler has not opened it, it is for the caller to say whether that is well.
        async Task EndAsync()
        {
            await callEnded.CancelAsync().ConfigureAwait(false);
            await waiter.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static RpcException Failed(Exception cause) => new(new Status(StatusCode.Internal, $"sidechannel proxy: {cause.Message}", cause));
}
