using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Backchannel;

/// <summary>
/// Adds a fresh token to each call, in the place of any other authorization (<see cref="GitalyToken"/>), as Gitaly's clients do:
/// <c>channel.Intercept(new GitalyTokenClientInterceptor(secret))</c>. Calls over the backchannel need none: their connection was let in.
/// </summary>
public sealed class GitalyTokenClientInterceptor : Interceptor
{
    internal const string Header = "authorization";
    internal const string Scheme = "Bearer ";

    private readonly string _secret;
    private readonly TimeProvider _timeProvider;

    /// <summary>Creates the interceptor.</summary>
    /// <param name="secret">The shared secret. Not empty.</param>
    /// <param name="timeProvider">The clock of the tokens; null means the system's.</param>
    /// <exception cref="ArgumentException">The secret is empty.</exception>
    public GitalyTokenClientInterceptor(string secret, TimeProvider? timeProvider = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(secret);
        _secret = secret;
        _timeProvider = timeProvider ?? TimeProvider.System;
    }

    /// <inheritdoc/>
    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, BlockingUnaryCallContinuation<TRequest, TResponse> continuation)
        => continuation(request, WithToken(context));

    /// <inheritdoc/>
    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
        => continuation(request, WithToken(context));

    /// <inheritdoc/>
    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation)
        => continuation(request, WithToken(context));

    /// <inheritdoc/>
    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context, AsyncClientStreamingCallContinuation<TRequest, TResponse> continuation)
        => continuation(WithToken(context));

    /// <inheritdoc/>
    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context, AsyncDuplexStreamingCallContinuation<TRequest, TResponse> continuation)
        => continuation(WithToken(context));

    private ClientInterceptorContext<TRequest, TResponse> WithToken<TRequest, TResponse>(ClientInterceptorContext<TRequest, TResponse> context)
        where TRequest : class
        where TResponse : class
    {
        // A copy: the caller may make several calls with the same headers.
        var headers = new Metadata();
        foreach (var entry in context.Options.Headers ?? [])
        {
            if (entry.Key != Header)
            {
                headers.Add(entry);
            }
        }

        headers.Add(Header, Scheme + GitalyToken.Create(_secret, _timeProvider.GetUtcNow()));
        return new ClientInterceptorContext<TRequest, TResponse>(context.Method, context.Host, context.Options.WithHeaders(headers));
    }
}
