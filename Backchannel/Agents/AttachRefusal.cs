using Grpc.Core;

namespace Backchannel;

/// <summary>Says of a server that has not come to look at the attachment what it lacks, or what the agent does.</summary>
internal static class AttachRefusal
{
    /// <returns>The same status with that in front; null: the server's own words are clear.</returns>
    public static RpcException? Explain(RpcException refusal, string address) => refusal.StatusCode switch
    {
        StatusCode.Unimplemented => Reword(refusal, $"the server at {address} knows no attachment; it must call app.MapBackchannel()."),
        StatusCode.Unauthenticated or StatusCode.PermissionDenied when IsHttp(refusal) => Reword(
            refusal,
            $"the server at {address} did not let the agent in, before it looked at the attachment: does the agent show what its authentication asks for, a token ({nameof(BackchannelAgentOptions)}.{nameof(BackchannelAgentOptions.ConfigureChannel)}) or a certificate ({nameof(BackchannelAgentOptions)}.{nameof(BackchannelAgentOptions.ConfigureHandler)})?"),
        _ => null,
    };

    // No gRPC service has answered, but the authorization of its endpoint, as gRPC's client words it.
    private static bool IsHttp(RpcException refusal) => refusal.Status.Detail.Contains("HTTP status code", StringComparison.Ordinal);

    private static RpcException Reword(RpcException refusal, string what)
        => new(new Status(refusal.StatusCode, $"{what} It says: {refusal.Status.Detail}", refusal.Status.DebugException), refusal.Trailers);
}
