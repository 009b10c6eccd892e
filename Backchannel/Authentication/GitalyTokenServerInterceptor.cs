using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Backchannel;

/// <summary>
/// Lets calls in that carry a token made with a secret, as Gitaly's servers do: <c>authorization: Bearer v2.…</c>
/// (<see cref="GitalyToken"/>). Add it with <c>AddGrpc(options => options.Interceptors.Add&lt;GitalyTokenServerInterceptor&gt;(secret))</c>.
/// </summary>
/// <remarks>
/// As in Gitaly: a call without a token, or with what is none (not three parts, or no hexadecimal HMAC), fails with <see cref="StatusCode.Unauthenticated"/>; one with a
/// token of another version, made with another secret, or expired, with <see cref="StatusCode.PermissionDenied"/>. Neither reaches its handler.
/// </remarks>
public sealed class GitalyTokenServerInterceptor : Interceptor
{
    private readonly string _secret;
    private readonly TimeProvider _timeProvider;

    // The only constructor: gRPC, which makes the interceptor, refuses to choose between two that take the secret.

    /// <summary>Creates the interceptor.</summary>
    /// <param name="secret">The shared secret. Not empty.</param>
    /// <param name="timeProvider">The clock by which tokens expire; null means the system's.</param>
    /// <exception cref="ArgumentException">The secret is empty.</exception>
    public GitalyTokenServerInterceptor(string secret, TimeProvider? timeProvider = null)
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
        var value = context.RequestHeaders.GetValue(GitalyTokenClientInterceptor.Header);
        if (value is null || !value.StartsWith(GitalyTokenClientInterceptor.Scheme, StringComparison.OrdinalIgnoreCase))
        {
            throw new RpcException(new Status(StatusCode.Unauthenticated, "authentication required: the call has no \"authorization: Bearer v2.HMAC.TIME\""));
        }

        var token = value[GitalyTokenClientInterceptor.Scheme.Length..];
        var refusal = GitalyToken.FindFault(token, _secret, _timeProvider.GetUtcNow()) switch
        {
            TokenFault.None => default(Status?),
            TokenFault.Malformed => new(StatusCode.Unauthenticated, "authentication required: the token is not of the form v2.HMAC.TIME"),
            TokenFault.Version => new(StatusCode.PermissionDenied, "permission denied: the token is not of version v2"),
            TokenFault.Signature => new(StatusCode.PermissionDenied, "permission denied: the token was not made with the secret of this server"),
            TokenFault.Time => new(StatusCode.PermissionDenied, "permission denied: the time of the token is no number of seconds since 1970"),
            _ => new(
                StatusCode.PermissionDenied,
                $"permission denied: the time of the token is more than {GitalyToken.Tolerance.TotalSeconds} s from that of this server; compare the clocks"),
        };
        if (refusal is { } status)
        {
            throw new RpcException(status);
        }
    }
}
