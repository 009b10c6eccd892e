using Grpc.Core;

namespace Backchannel;

/// <summary>
/// Refuses calls with credentials to a peer whose connection has no TLS. gRPC would leave the credentials away without a word.
/// </summary>
internal sealed class PlaintextCredentialsInterceptor(string peer) : CallOptionsInterceptor
{
    protected override CallOptions Change(IMethod method, in CallOptions options)
        => options.Credentials is null
            ? options
            : throw new InvalidOperationException(
                $"The call {method.FullName} to {peer} has CallCredentials, and the peer's connection has no TLS, so that anybody on the way could read them. Use TLS on the endpoint (listen.UseHttps() before listen.UseBackchannel()), or call without.");
}
