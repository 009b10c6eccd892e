using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Grpc.Core;

namespace Backchannel;

/// <inheritdoc cref="IBackchannelRegistry"/>
internal sealed class BackchannelRegistry : IBackchannelRegistry
{
    private readonly ConcurrentDictionary<long, BackchannelPeer> _peers = new();
    private long _lastId;

    public int Count => _peers.Count;

    public IReadOnlyCollection<BackchannelPeer> Peers => [.. _peers.Values];

    /// <summary>Whether an endpoint of the server's takes peers.</summary>
    public bool HasEndpoint { get; set; }

    public static string NoBackchannel(long id) => $"no backchannel for peer {id}";

    public bool TryGetPeer(long id, [NotNullWhen(true)] out BackchannelPeer? peer) => _peers.TryGetValue(id, out peer);

    public BackchannelPeer GetPeer(long id)
        => TryGetPeer(id, out var peer) ? peer : throw new RpcException(new Status(StatusCode.Unavailable, NoBackchannel(id)));

    /// <summary>Takes the next id.</summary>
    public long NextId() => Interlocked.Increment(ref _lastId);

    public void Add(BackchannelPeer peer) => _peers[peer.Id] = peer;

    public void Remove(BackchannelPeer peer) => _peers.TryRemove(peer.Id, out _);
}
