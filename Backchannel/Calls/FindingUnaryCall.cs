using System.Diagnostics.CodeAnalysis;
using Grpc.Core;

namespace Backchannel;

/// <summary>
/// A unary call to whoever is there. One that has certainly not been dispatched is made again to another, the newer connection of an agent that moves above all; one that may have been dispatched never is.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A source of cancellation without a timer has nothing to release.")]
internal sealed class FindingUnaryCall<TRequest, TResponse>(
    TargetFinder finder, Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request, IDisposable? link)
    where TRequest : class
    where TResponse : class
{
    private readonly CancellationTokenSource _disposed = new();
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task<TResponse>? _response;
    private volatile AsyncUnaryCall<TResponse>? _call;
    private RpcException? _failure; // Where there is no call to ask.

    public AsyncUnaryCall<TResponse> Begin()
    {
        _response = ObservedTask.Of(RunAsync());
        return new AsyncUnaryCall<TResponse>(
            _response,
            static call => ((FindingUnaryCall<TRequest, TResponse>)call).HeadersAsync(),
            static call => ((FindingUnaryCall<TRequest, TResponse>)call).GetStatus(),
            static call => ((FindingUnaryCall<TRequest, TResponse>)call).GetTrailers(),
            static call => ((FindingUnaryCall<TRequest, TResponse>)call).Dispose(),
            this);
    }

    private async Task<TResponse> RunAsync()
    {
        List<ICallTarget>? tried = null;
        RpcException? refusal = null;
        try
        {
            while (true)
            {
                ICallTarget target;
                try
                {
                    target = await finder.FindAsync(options, (IReadOnlyCollection<ICallTarget>?)tried ?? [], _disposed.Token).ConfigureAwait(false);
                }
                catch (RpcException none) when (refusal is not null && none.StatusCode == StatusCode.Unavailable)
                {
                    throw refusal; // Who refused it last says more than that there is nobody else.
                }

                var call = target.Invoker.AsyncUnaryCall(method, host, options.WithWaitForReady(false), request);
                _call = call;
                _begun.TrySetResult();
                if (_disposed.IsCancellationRequested)
                {
                    call.Dispose();
                }

                try
                {
                    return await call.ResponseAsync.ConfigureAwait(false);
                }
                catch (RpcException failure) when (CallDispatch.IsNone(failure))
                {
                    refusal = failure;
                    (tried ??= []).Add(target);
                }
            }
        }
        catch (RpcException failure)
        {
            _failure = failure;
            throw;
        }
        finally
        {
            _begun.TrySetResult();
            link?.Dispose();
        }
    }

    // Of the call that is answered: of one that was refused there are none.
    private async Task<Metadata> HeadersAsync()
    {
        await _begun.Task.ConfigureAwait(false);
        if (_call is { } first)
        {
            try
            {
                return await first.ResponseHeadersAsync.ConfigureAwait(false);
            }
            catch (RpcException failure) when (CallDispatch.IsNone(failure))
            {
                // It is made again, or has failed for good: the response tells.
            }
        }

        await ((Task)_response!).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_failure is { } failed)
        {
            throw failed;
        }

        if (_call is null)
        {
            await _response.ConfigureAwait(false); // It could not be made at all, and throws that.
        }

        return await _call!.ResponseHeadersAsync.ConfigureAwait(false);
    }

    private Status GetStatus() => _failure?.Status ?? Ended().GetStatus();

    private Metadata GetTrailers() => _failure?.Trailers ?? Ended().GetTrailers();

    private AsyncUnaryCall<TResponse> Ended() => _call ?? throw new InvalidOperationException("The call has not ended: it waits.");

    private void Dispose()
    {
        _disposed.Cancel();
        _call?.Dispose();
    }
}
