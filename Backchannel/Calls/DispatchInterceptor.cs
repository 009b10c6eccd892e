using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Backchannel;

/// <summary>Says of each call that fails as Unavailable whether it may have been dispatched (<see cref="CallDispatch"/>), and tells telemetry of each.</summary>
/// <param name="observe">Begins to observe a call; null, or what returns null: it is not observed.</param>
internal sealed class DispatchInterceptor(Func<IMethod, CallObservation?>? observe = null) : Interceptor
{
    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, BlockingUnaryCallContinuation<TRequest, TResponse> continuation)
    {
        var observation = observe?.Invoke(context.Method);
        try
        {
            var response = continuation(request, context);
            observation?.End(StatusCode.OK);
            return response;
        }
        catch (Exception failure)
        {
            throw Ended(observation, failure);
        }
    }

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
    {
        var (call, observation) = Begin(context.Method, () => continuation(request, context));
        return new AsyncUnaryCall<TResponse>(
            ObservedTask.Of(ExplainAsync(call.ResponseAsync, observation, isEnd: true)),
            _ => ExplainAsync(call.ResponseHeadersAsync),
            _ => CallDispatch.Explain(call.GetStatus()),
            _ => Trailers(call.GetTrailers, call.GetStatus),
            _ => Dispose(call, observation),
            this);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation)
    {
        var (call, observation) = Begin(context.Method, () => continuation(request, context));
        return new AsyncServerStreamingCall<TResponse>(
            new ExplainingReader<TResponse>(call.ResponseStream, observation),
            _ => ExplainAsync(call.ResponseHeadersAsync),
            _ => CallDispatch.Explain(call.GetStatus()),
            _ => Trailers(call.GetTrailers, call.GetStatus),
            _ => Dispose(call, observation),
            this);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context, AsyncClientStreamingCallContinuation<TRequest, TResponse> continuation)
    {
        var (call, observation) = Begin(context.Method, () => continuation(context));
        return new AsyncClientStreamingCall<TRequest, TResponse>(
            call.RequestStream,
            ObservedTask.Of(ExplainAsync(call.ResponseAsync, observation, isEnd: true)),
            _ => ExplainAsync(call.ResponseHeadersAsync),
            _ => CallDispatch.Explain(call.GetStatus()),
            _ => Trailers(call.GetTrailers, call.GetStatus),
            _ => Dispose(call, observation),
            this);
    }

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context, AsyncDuplexStreamingCallContinuation<TRequest, TResponse> continuation)
    {
        var (call, observation) = Begin(context.Method, () => continuation(context));
        return new AsyncDuplexStreamingCall<TRequest, TResponse>(
            call.RequestStream,
            new ExplainingReader<TResponse>(call.ResponseStream, observation),
            _ => ExplainAsync(call.ResponseHeadersAsync),
            _ => CallDispatch.Explain(call.GetStatus()),
            _ => Trailers(call.GetTrailers, call.GetStatus),
            _ => Dispose(call, observation),
            this);
    }

    private (TCall Call, CallObservation? Observation) Begin<TCall>(IMethod method, Func<TCall> begin)
    {
        var observation = observe?.Invoke(method);
        try
        {
            return (begin(), observation);
        }
        catch (Exception failure)
        {
            throw Ended(observation, failure);
        }
        finally
        {
            observation?.Leave();
        }
    }

    private static async Task<T> ExplainAsync<T>(Task<T> task, CallObservation? observation = null, bool isEnd = false)
    {
        try
        {
            var result = await task.ConfigureAwait(false);
            if (isEnd)
            {
                observation?.End(StatusCode.OK);
            }

            return result;
        }
        catch (Exception failure) when (failure is RpcException or OperationCanceledException)
        {
            throw Ended(observation, failure);
        }
    }

    private static Metadata Trailers(Func<Metadata> trailers, Func<Status> status) => CallDispatch.Explain(trailers(), status());

    private static void Dispose(IDisposable call, CallObservation? observation)
    {
        call.Dispose();
        observation?.End(StatusCode.Cancelled); // If it had not ended.
    }

    private static Exception Ended(CallObservation? observation, Exception failure)
    {
        var told = failure is RpcException rpc ? CallDispatch.Explain(rpc) : failure;
        observation?.End(told switch
        {
            RpcException { StatusCode: var status } => status,
            OperationCanceledException => StatusCode.Cancelled,
            _ => StatusCode.Internal,
        });
        return told;
    }

    private sealed class ExplainingReader<T>(IAsyncStreamReader<T> inner, CallObservation? observation) : IAsyncStreamReader<T>
    {
        public T Current => inner.Current;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            try
            {
                var moved = await inner.MoveNext(cancellationToken).ConfigureAwait(false);
                if (!moved)
                {
                    observation?.End(StatusCode.OK);
                }

                return moved;
            }
            catch (Exception failure) when (failure is RpcException or OperationCanceledException)
            {
                throw Ended(observation, failure);
            }
        }
    }
}
