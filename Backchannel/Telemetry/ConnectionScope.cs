using System.Collections;

namespace Backchannel;

/// <summary>The scope of what is logged of a connection: which it is, and who is at its other end, as far as that is known when the line is written.</summary>
/// <param name="connectionId">What this end calls it.</param>
/// <param name="server">Where it goes, if this end has made it.</param>
internal sealed class ConnectionScope(string connectionId, Uri? server = null) : IEnumerable<KeyValuePair<string, object?>>
{
    private volatile BackchannelPeer? _peer;

    /// <summary>The id of this replica; null where there are no others.</summary>
    public string? Replica { get; init; }

    /// <summary>Who is at the other end, as soon as that is known.</summary>
    public BackchannelPeer? Peer
    {
        get => _peer;
        set => _peer = value;
    }

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
    {
        yield return new("ConnectionId", connectionId);
        if (server is not null)
        {
            yield return new("ServerAddress", server);
        }

        if (Replica is not null)
        {
            yield return new("Replica", Replica);
        }

        if (_peer is { } peer)
        {
            yield return new("PeerId", peer.Id);
            if (peer.Name is { } name)
            {
                yield return new("PeerName", name);
            }
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => string.Join(' ', this.Select(entry => FormattableString.Invariant($"{entry.Key}:{entry.Value}")));
}
