using Grpc.Core;

namespace Backchannel;

/// <summary>A call that begins when its peer is there. Its owner has it at once.</summary>
/// <typeparam name="TCall">What kind of call it is.</typeparam>
internal sealed class LaterCall<TCall> : IDisposable
    where TCall : class, IDisposable
{
    private readonly CancellationTokenSource _disposed = new();
    private readonly IDisposable? _link;
    private readonly Task<TCall> _call;

    /// <param name="finder">Finds the peer.</param>
    /// <param name="options">Those of the call.</param>
    /// <param name="begin">Begins it.</param>
    /// <param name="link">To be disposed with it; null: nothing.</param>
    public LaterCall(TargetFinder finder, CallOptions options, Func<CallInvoker, TCall> begin, IDisposable? link)
    {
        _link = link;
        _call = BeginAsync(finder, options, begin);
    }

    /// <summary>A part of the call, when it has begun.</summary>
    public Task<T> Begun<T>(Func<TCall, T> part) => ObservedTask.Of(PartAsync(part));

    /// <summary>The headers of the answer.</summary>
    public Task<Metadata> HeadersAsync(Func<TCall, Task<Metadata>> headers) => ObservedTask.Of(HeadersOfAsync(headers));

    /// <summary>The answer, of a call that has one.</summary>
    public Task<T> ResponseAsync<T>(Func<TCall, Task<T>> response)
        => ObservedTask.Of(AnswerAsync(response));

    /// <exception cref="InvalidOperationException">The call has not ended.</exception>
    public Status GetStatus(Func<TCall, Status> status) => Failure is { } failure ? failure.Status : status(Ended());

    /// <exception cref="InvalidOperationException">The call has not ended.</exception>
    public Metadata GetTrailers(Func<TCall, Metadata> trailers) => Failure is { } failure ? failure.Trailers : trailers(Ended());

    public void Dispose()
    {
        _disposed.Cancel();
        if (_call.IsCompletedSuccessfully)
        {
            _call.Result.Dispose();
        }
        else
        {
            // It may begin in this instant.
            _ = _call.ContinueWith(
                static call => call.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        _link?.Dispose();
    }

    // It never began.
    private RpcException? Failure => _call.Exception?.InnerException as RpcException;

    private TCall Ended()
        => _call.IsCompletedSuccessfully ? _call.Result : throw new InvalidOperationException("The call has not ended: it waits.");

    private async Task<TCall> BeginAsync(TargetFinder finder, CallOptions options, Func<CallInvoker, TCall> begin)
    {
        var target = await finder.FindAsync(options, [], _disposed.Token).ConfigureAwait(false);
        return begin(target.Invoker);
    }

    private async Task<T> PartAsync<T>(Func<TCall, T> part) => part(await _call.ConfigureAwait(false));

    private async Task<Metadata> HeadersOfAsync(Func<TCall, Task<Metadata>> headers) => await headers(await _call.ConfigureAwait(false)).ConfigureAwait(false);

    private async Task<T> AnswerAsync<T>(Func<TCall, Task<T>> answer)
    {
        try
        {
            return await answer(await _call.ConfigureAwait(false)).ConfigureAwait(false);
        }
        finally
        {
            _link?.Dispose(); // Nobody has to dispose of a call whose answer has come.
        }
    }
}
