using Grpc.Core;

namespace Backchannel;

/// <summary>Finds, for one call after the other, to whom it goes, or waits for somebody.</summary>
internal abstract class TargetFinder(TimeProvider timeProvider)
{
    // As long as a timer can be.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(24);

    // Who has refused a call, and is the only one, may have made room by then.
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    /// <summary>Whom to call now; null: nobody.</summary>
    /// <param name="except">None of these.</param>
    public abstract ICallTarget? Find(IReadOnlyCollection<ICallTarget> except);

    /// <summary>Whom to call, for a call with these options.</summary>
    /// <param name="options">How long to wait, if at all.</param>
    /// <param name="except">None of these, but after a moment if there is nobody else.</param>
    /// <param name="disposed">The call was disposed of.</param>
    /// <exception cref="RpcException">There is nobody, or was nobody until the deadline; or the call was cancelled.</exception>
    public async ValueTask<ICallTarget> FindAsync(CallOptions options, IReadOnlyCollection<ICallTarget> except, CancellationToken disposed)
    {
        if (Find(except) is { } target)
        {
            return target;
        }

        if (!options.IsWaitForReady && !LooksElsewhere)
        {
            throw CallDispatch.NotDispatched(StatusCode.Unavailable, Missing());
        }

        var left = (options.Deadline?.ToUniversalTime() ?? DateTime.MaxValue) - timeProvider.GetUtcNow().UtcDateTime;
        using var deadline = new CancellationTokenSource(left > LongestWait ? Timeout.InfiniteTimeSpan : left > TimeSpan.Zero ? left : TimeSpan.Zero, timeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, disposed, options.CancellationToken);
        try
        {
            var (elsewhere, why) = await FindElsewhereAsync(except, either.Token).ConfigureAwait(false);
            if (elsewhere is not null)
            {
                return elsewhere;
            }

            if (!options.IsWaitForReady)
            {
                throw CallDispatch.NotDispatched(why?.StatusCode ?? StatusCode.Unavailable, why?.Detail ?? Missing());
            }

            return except.Count > 0 && await WaitForAnotherAsync(except, either.Token).ConfigureAwait(false) is { } another
                ? another
                : await WaitAsync([], either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            throw options.CancellationToken.IsCancellationRequested || disposed.IsCancellationRequested
                ? CallDispatch.NotDispatched(StatusCode.Cancelled, $"the call was cancelled while it waited: {Missing()}")
                : CallDispatch.NotDispatched(StatusCode.DeadlineExceeded, $"the deadline of the call came while it waited: {Missing()}");
        }
    }

    /// <summary>Whether <see cref="FindElsewhereAsync"/> may find somebody.</summary>
    protected virtual bool LooksElsewhere => false;

    /// <summary>Looks where it takes longer than a moment.</summary>
    protected virtual ValueTask<Found> FindElsewhereAsync(IReadOnlyCollection<ICallTarget> except, CancellationToken cancellationToken) => new(default(Found));

    private async ValueTask<ICallTarget?> WaitForAnotherAsync(IReadOnlyCollection<ICallTarget> except, CancellationToken cancellationToken)
    {
        using var moment = new CancellationTokenSource(RetryDelay, timeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(moment.Token, cancellationToken);
        try
        {
            return await WaitAsync(except, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>Waits for somebody.</summary>
    protected abstract ValueTask<ICallTarget> WaitAsync(IReadOnlyCollection<ICallTarget> except, CancellationToken cancellationToken);

    /// <summary>That there is nobody, in words.</summary>
    protected abstract string Missing();
}
