using Grpc.Core;

namespace Backchannel;

/// <summary>What a failed attempt, or a lost connection, is worth.</summary>
internal static class AgentFailure
{
    /// <summary>Why, in a sentence.</summary>
    public static string Explain(Exception failure) => failure is RpcException { Status: var status } ? $"{status.StatusCode}, {status.Detail}" : failure.Message;

    /// <summary>Whether it will be the same again until somebody changes something.</summary>
    public static bool IsLasting(Exception failure)
        => failure is RpcException { StatusCode: StatusCode.Unauthenticated or StatusCode.PermissionDenied or StatusCode.InvalidArgument or StatusCode.Unimplemented };

    /// <summary>When the server says to come back; null: it says nothing.</summary>
    public static TimeSpan? RetryAfter(Exception failure) => failure is RpcException refusal ? RetryPushback.Read(refusal.Trailers) : null;
}
