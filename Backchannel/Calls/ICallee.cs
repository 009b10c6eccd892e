using Grpc.Core;

namespace Backchannel;

/// <summary>An agent that is called, here or at another replica: what the channel to it needs.</summary>
internal interface ICallee : ICallTarget
{
    /// <summary>Where it is.</summary>
    PeerLocation Location { get; }

    /// <summary>Its id at the replica that it is attached to; null if that is not this one.</summary>
    long? PeerId { get; }

    /// <summary>As messages call it: <c>peer 5</c>.</summary>
    string Description { get; }

    /// <summary>Those that run.</summary>
    PeerCalls Calls { get; }

    /// <exception cref="NotDispatchedException">No further call may begin.</exception>
    void ThrowIfDraining();

    /// <summary>A connection of the channel to it.</summary>
    /// <exception cref="NotDispatchedException">There is none to be had.</exception>
    ValueTask<Stream> ConnectAsync(CancellationToken cancellationToken);
}
