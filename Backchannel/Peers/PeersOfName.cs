namespace Backchannel;

/// <summary>All that are attached under one name, the oldest first. What changes it holds the gate of <see cref="PeerNames"/>; it is read without.</summary>
internal sealed class PeersOfName
{
    private PresentPeer[] _peers = [];
    private BackchannelPeer? _only; // While there is one: a look-up among many names costs what it must fetch from memory.
    private uint _turn;

    public IReadOnlyList<PresentPeer> Peers => Volatile.Read(ref _peers);

    public void Add(PresentPeer peer) => Set([.. _peers, peer]);

    /// <summary>False: it is not there.</summary>
    public bool Remove(PresentPeer peer)
    {
        var left = Array.FindAll(_peers, other => other != peer);
        var removed = left.Length < _peers.Length;
        Set(left);
        return removed;
    }

    /// <summary>The one to call: the newest that takes calls, or each in turn; one that has said on a connection of its that it leaves only if there is no other. Null: none.</summary>
    /// <param name="spread">Each in turn.</param>
    /// <param name="except">None of these.</param>
    public BackchannelPeer? Pick(bool spread, IReadOnlyCollection<ICallTarget> except)
    {
        if (Volatile.Read(ref _only) is { TakesCalls: true, IsEclipsed: false } only && except.Count == 0)
        {
            return only;
        }

        var peers = Volatile.Read(ref _peers);
        var turn = spread ? Interlocked.Increment(ref _turn) : 0;
        BackchannelPeer? leaving = null;
        for (var i = 1; i <= peers.Length; i++)
        {
            var peer = peers[(int)(((uint)(peers.Length - i) + turn) % (uint)peers.Length)].Peer;
            if (!peer.TakesCalls || (peer.IsEclipsed && !spread) || (except.Count > 0 && except.Contains(peer)))
            {
                continue;
            }

            if (!peer.IsLeaving)
            {
                return peer;
            }

            leaving ??= peer;
        }

        return leaving;
    }

    private void Set(PresentPeer[] peers)
    {
        Volatile.Write(ref _peers, peers);
        Volatile.Write(ref _only, peers is [var only] ? only.Peer : null);
    }
}
