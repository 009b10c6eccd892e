namespace Interop.Tests.Calls;

/// <summary>How a Gitaly server dials the gRPC connection back to its client, which decides about the <c>:authority</c> of its calls.</summary>
public enum DialBack
{
    /// <summary>With the connection, by grpc-go before 1.57: <c>multiplexed/127.0.0.1:1234</c>.</summary>
    Raw,

    /// <summary>With the connection, by grpc-go from 1.57: <c>multiplexed%2F127.0.0.1:1234</c>.</summary>
    Escaped,

    /// <summary>With the first call, by grpc.NewClient: the client's address alone.</summary>
    Lazy,
}
