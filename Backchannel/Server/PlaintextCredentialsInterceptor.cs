using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Backchannel;

/// <summary>
/// Refuses calls with credentials to a peer whose connection has no TLS. gRPC would leave the credentials away without a word.
/// </summary>
internal sealed class PlaintextCredentialsInterceptor(long peerId) : Interceptor
{
    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, BlockingUnaryCallContinuation<TRequest, TResponse> continuation)
        => continuation(request, Checked(context));

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
        => continuation(request, Checked(context));

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation)
        => continuation(request, Checked(context));

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context, AsyncClientStreamingCallContinuation<TRequest, TResponse> continuation)
        => continuation(Checked(context));

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context, AsyncDuplexStreamingCallContinuation<TRequest, TResponse> continuation)
        => continuation(Checked(context));

    private ClientInterceptorContext<TRequest, TResponse> Checked<TRequest, TResponse>(ClientInterceptorContext<TRequest, TResponse> context)
        where TRequest : class
        where TResponse : class
        => context.Options.Credentials is null
            ? context
            : throw new InvalidOperationException(
                $"The call {context.Method.FullName} to peer {peerId} has CallCredentials, and the peer's connection has no TLS, so that anybody on the way could read them. Use TLS on the endpoint (listen.UseHttps() before listen.UseBackchannel()), or call without.");
}
