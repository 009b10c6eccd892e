using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Backchannel;

/// <summary>
/// Lets calls in that carry a token made with a secret, as Gitaly's servers do: <c>authorization: Bearer v2.…</c>
/// (<see cref="AuthenticationToken"/>). Add it with <c>AddGrpc(options => options.Interceptors.Add&lt;TokenServerInterceptor&gt;(secret))</c>.
/// </summary>
/// <remarks>
/// A call without a token fails with <see cref="StatusCode.Unauthenticated"/>, one with a wrong or expired token with
/// <see cref="StatusCode.PermissionDenied"/>; neither reaches its handler.
/// </remarks>
public sealed class TokenServerInterceptor : Interceptor
{
    private readonly string _secret;
    private readonly TimeProvider _timeProvider;

    // The only constructor: gRPC, which makes the interceptor, refuses to choose between two that take the secret.

    /// <summary>Creates the interceptor.</summary>
    /// <param name="secret">The shared secret. Not empty.</param>
    /// <param name="timeProvider">The clock by which tokens expire; null means the system's.</param>
    /// <exception cref="ArgumentException">The secret is empty.</exception>
    public TokenServerInterceptor(string secret, TimeProvider? timeProvider = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(secret);
        _secret = secret;
        _timeProvider = timeProvider ?? TimeProvider.System;
    }

    /// <inheritdoc/>
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        Check(context);
        return continuation(request, context);
    }

    /// <inheritdoc/>
    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Check(context);
        return continuation(requestStream, context);
    }

    /// <inheritdoc/>
    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Check(context);
        return continuation(request, responseStream, context);
    }

    /// <inheritdoc/>
    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Check(context);
        return continuation(requestStream, responseStream, context);
    }

    private void Check(ServerCallContext context)
    {
        var value = context.RequestHeaders.GetValue(TokenClientInterceptor.Header);
        if (value is null || !value.StartsWith(TokenClientInterceptor.Scheme, StringComparison.OrdinalIgnoreCase))
        {
            throw new RpcException(new Status(StatusCode.Unauthenticated, "authentication required"));
        }

        var token = value[TokenClientInterceptor.Scheme.Length..];
        if (!AuthenticationToken.IsWellFormed(token))
        {
            throw new RpcException(new Status(StatusCode.Unauthenticated, "authentication required: the token is not of the form v2.HMAC.TIME"));
        }

        if (!AuthenticationToken.Verify(token, _secret, _timeProvider.GetUtcNow()))
        {
            throw new RpcException(new Status(StatusCode.PermissionDenied, "permission denied"));
        }
    }
}
