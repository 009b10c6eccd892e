using System.Diagnostics.CodeAnalysis;
using Grpc.Core;

namespace Backchannel;

/// <summary>The clients that are connected and can be called. Thread safe; a singleton of the server's services.</summary>
public interface IBackchannelRegistry
{
    /// <summary>How many there are.</summary>
    int Count { get; }

    /// <summary>Those that are connected now, in no order; a copy.</summary>
    IReadOnlyCollection<BackchannelPeer> Peers { get; }

    /// <summary>Finds a peer by its id.</summary>
    /// <param name="id">The id, from 1.</param>
    /// <param name="peer">The peer, if it is connected.</param>
    bool TryGetPeer(long id, [NotNullWhen(true)] out BackchannelPeer? peer);

    /// <summary>Finds a peer by its id.</summary>
    /// <param name="id">The id, from 1.</param>
    /// <exception cref="RpcException">
    /// <see cref="StatusCode.Unavailable"/>, «no backchannel for peer N», as Gitaly says: no such peer is connected. A handler that lets it pass tells its caller the same.
    /// </exception>
    BackchannelPeer GetPeer(long id);
}
