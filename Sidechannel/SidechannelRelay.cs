using Grpc.Core;

namespace Sidechannel;

/// <summary>Copies both ways between the sidechannel of a caller and that of the far handler to whom its call was handed on.</summary>
/// <param name="context">The caller's call.</param>
/// <param name="callEnded">The call onwards has ended.</param>
internal sealed class SidechannelRelay(ServerCallContext context, CancellationToken callEnded)
{
    /// <summary>Complete when all that the handler has sent was passed to the caller; null until the handler opens its end.</summary>
    public Task? Completion { get; private set; }

    /// <summary>How the caller has broken the sidechannel, of which the handler learns no more than that it broke; null if it has not.</summary>
    public SidechannelException? CallerFailure { get; private set; }

    /// <summary>The handler has opened its end.</summary>
    public Task RunAsync(SidechannelStream handler, CancellationToken givenUp) => Completion = CopyBothAsync(handler, givenUp);

    private async Task CopyBothAsync(SidechannelStream handler, CancellationToken givenUp)
    {
        var caller = await OpenAsync(givenUp).ConfigureAwait(false);
        await using (caller.ConfigureAwait(false))
        {
            using var unwanted = CancellationTokenSource.CreateLinkedTokenSource(givenUp);
            var toHandler = CopyToHandlerAsync(caller, handler, unwanted.Token);
            try
            {
                await CopyAsync(handler, caller, givenUp).ConfigureAwait(false);

                // The handler has said all. What its caller still sends it may want, until the call ends. Whether that arrives is the call's to
                // tell: the handler sees it.
                await toHandler.WaitAsync(callEnded).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            finally
            {
                await unwanted.CancelAsync().ConfigureAwait(false);
                await toHandler.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<SidechannelStream> OpenAsync(CancellationToken givenUp)
    {
        try
        {
            return await SidechannelOpenExtensions.OpenAsync(context, givenUp).ConfigureAwait(false);
        }
        catch (SidechannelException failure)
        {
            CallerFailure = failure;
            throw;
        }
    }

    private async Task CopyToHandlerAsync(SidechannelStream caller, SidechannelStream handler, CancellationToken cancellationToken)
    {
        try
        {
            await CopyAsync(caller, handler, cancellationToken).ConfigureAwait(false);
        }
        catch (SidechannelException failure) when (failure.ErrorCode != SidechannelErrorCode.CallEnded)
        {
            CallerFailure = failure;
            throw;
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
