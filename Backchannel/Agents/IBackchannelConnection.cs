using Grpc.Core;

namespace Backchannel;

/// <summary>The agent's connection to its server. Thread safe; a singleton of the agent's services.</summary>
public interface IBackchannelConnection
{
    /// <summary>How it stands now.</summary>
    BackchannelConnectionState State { get; }

    /// <summary>The name that the server has given the agent, last; null before the first attachment.</summary>
    string? Name { get; }

    /// <summary>Why the last attempt to attach has failed, or the last connection was lost; null while the agent is attached, and before the first.</summary>
    Exception? LastFailure { get; }

    /// <summary>
    /// Calls the server's services over the connection that there is at the time of each call. Where there is none a call fails with <see cref="StatusCode.Unavailable"/>, unless it waits
    /// (<see cref="CallOptions.WithWaitForReady"/>). The trailer <c>backchannel-dispatch</c> of a call that fails so is <c>none</c> if it has certainly not reached a handler, and else <c>maybe</c>.
    /// </summary>
    CallInvoker Invoker { get; }

    /// <summary>Waits until the agent is attached.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="InvalidOperationException">The host has stopped the agent.</exception>
    Task WaitConnectedAsync(CancellationToken cancellationToken = default);

    /// <summary>The state now, and each that it changes to; a slow reader misses those between, never the last. Ends when the agent has stopped.</summary>
    /// <param name="cancellationToken">Ends the enumeration with <see cref="OperationCanceledException"/>.</param>
    IAsyncEnumerable<BackchannelConnectionState> WatchAsync(CancellationToken cancellationToken = default);
}
