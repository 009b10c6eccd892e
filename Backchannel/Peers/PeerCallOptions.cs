using Grpc.Core;

namespace Backchannel;

/// <summary>How the calls of one client or invoker by name are made.</summary>
public sealed class PeerCallOptions
{
    private TimeSpan? _timeout;

    /// <summary>
    /// Whether a call that is made in the handler of a gRPC call ends with that call at the latest: by its deadline, or when it is cancelled. As
    /// <c>EnableCallContextPropagation</c> of grpc-dotnet's client factory. Default true.
    /// </summary>
    public bool PropagateCallContext { get; set; } = true;

    /// <summary>How long a call may take that has no deadline of its own; more than 0. Default null: for ever, or as long as the call in whose handler it is made.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The time is 0 or less.</exception>
    public TimeSpan? Timeout
    {
        get => _timeout;
        set
        {
            if (value is { } timeout)
            {
                ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero);
            }

            _timeout = value;
        }
    }

    /// <summary>
    /// Whether each call waits for the peer, until its deadline, where there is none of the name: as <see cref="CallOptions.WithWaitForReady"/> says of one call. Default false: it fails
    /// with <see cref="StatusCode.Unavailable"/>.
    /// </summary>
    public bool WaitForReady { get; set; }
}
