using System.Runtime.ExceptionServices;
using Grpc.Core;

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
    /// they arrive. If it is given up (cancelled, or its deadline has passed), so is the copying. A call without a sidechannel is just made, with no headers.
    /// </remarks>
    /// <param name="onwards">The registry of the connection that the call is made on.</param>
    /// <param name="context">The call that came in.</param>
    /// <param name="call">Makes the call onwards, with these headers; more may be added. The token of <paramref name="context"/> should be its own.</param>
    /// <returns>What the call returned.</returns>
    /// <exception cref="RpcException">
    /// The call failed; or it succeeded and the copying did not, or it failed and the caller's bytes were none of a sidechannel's, or the caller did not accept it
    /// (<see cref="StatusCode.Internal"/>); or
    /// <paramref name="context"/> offers no sidechannel that could be opened, as <see cref="SidechannelOpenExtensions.OpenSidechannelAsync(ServerCallContext)"/> tells.
    /// </exception>
    public static async Task<TResponse> ProxyAsync<TResponse>(
        this SidechannelRegistry onwards, ServerCallContext context, Func<Metadata, AsyncUnaryCall<TResponse>> call)
    {
        ArgumentNullException.ThrowIfNull(onwards);
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(call);
        if (!SidechannelId.IsIn(context.RequestHeaders))
        {
            using var plain = call([]);
            return await plain.ResponseAsync.ConfigureAwait(false);
        }

        _ = SidechannelOpenExtensions.FindSidechannel(context); // What is wrong with it is told before anything is done.
        using var callEnded = new CancellationTokenSource();
        Task? copying = null;
        var waiter = onwards.Register(
            (handler, givenUp) => copying = CopyAsync(context, handler, callEnded.Token, givenUp), context.CancellationToken);
        await using (waiter.ConfigureAwait(false))
        {
            TResponse response;
            try
            {
                using var running = call(waiter.Metadata);
                response = await running.ResponseAsync.ConfigureAwait(false);
            }
            catch (Exception failure)
            {
                if (SidechannelWaiter.IsGivenUp(failure))
                {
                    waiter.Cancel();
                }

                await EndAsync().ConfigureAwait(false);
                if (copying?.Exception?.InnerException is SidechannelException cause)
                {
                    throw Failed(cause); // Of the caller's end, of which the far handler knows nothing.
                }

                throw;
            }

            await EndAsync().ConfigureAwait(false);
            if (copying is { IsCompletedSuccessfully: false })
            {
                var failure = copying.Exception?.InnerException ?? new OperationCanceledException("The call was cancelled.", context.CancellationToken);
                throw Failed(failure);
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

    // Succeeds when all that the handler has sent was passed to the caller.
    private static async Task CopyAsync(ServerCallContext context, SidechannelStream handler, CancellationToken callEnded, CancellationToken givenUp)
    {
        var caller = await context.OpenSidechannelAsync().ConfigureAwait(false);
        await using (caller.ConfigureAwait(false))
        {
            using var unwanted = CancellationTokenSource.CreateLinkedTokenSource(givenUp);
            var toHandler = CopyAsync(caller, handler, unwanted.Token);
            try
            {
                await CopyAsync(handler, caller, givenUp).ConfigureAwait(false);
            }
            catch (Exception failure)
            {
                handler.Abort(failure);
                await unwanted.CancelAsync().ConfigureAwait(false);
                await toHandler.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (failure.InnerException is SidechannelException cause)
                {
                    ExceptionDispatchInfo.Throw(cause); // Of the other direction, which has aborted this one for it.
                }

                throw;
            }

            // The handler has said all. What its caller still sends it may want, until the call ends. Whether that arrives is the call's to
            // tell: the handler sees it.
            await toHandler.WaitAsync(callEnded).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await unwanted.CancelAsync().ConfigureAwait(false);
            await toHandler.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Who reads must not take a failure for the end. Who writes is left alone: a reset would destroy what is on its way to it.
    private static async Task CopyAsync(SidechannelStream from, SidechannelStream to, CancellationToken cancellationToken)
    {
        try
        {
            await from.CopyToAsync(to, cancellationToken).ConfigureAwait(false);
            await to.CompleteWritesAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (SidechannelException ended) when (ended.ErrorCode == SidechannelErrorCode.CallEnded)
        {
            throw; // The handler reads no more, and what it has sent is still to be read.
        }
        catch (Exception failure)
        {
            to.Abort(failure);
            throw;
        }
    }
}
