namespace Backchannel;

/// <summary>The other replicas of this server, as its peers see them: where agents are written down, and found that are not attached here.</summary>
internal interface IOtherReplicas
{
    /// <summary>The id of this replica; null: there are no others.</summary>
    string? Id { get; }

    /// <summary>Writes an agent down that has just attached, so that the others find it; what keeps it from that for a moment is made up for later.</summary>
    /// <returns>Whether it may have the name.</returns>
    ValueTask<PeerRegistrationResult> RegisterAsync(PresentPeer present, CancellationToken cancellationToken);

    /// <summary>The one of another replica, if it is known and can be called at once; else null.</summary>
    ICallTarget? FindReady(string name, IReadOnlyCollection<ICallTarget> except);

    /// <summary>Looks for one, and makes a connection to it.</summary>
    /// <param name="name">The name.</param>
    /// <param name="except">None of these.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<Found> FindAsync(string name, IReadOnlyCollection<ICallTarget> except, CancellationToken cancellationToken);

    /// <summary>A page of each other replica's agents behind a name, and the ids of the replicas that did not answer.</summary>
    Task<(List<PeerLocation> Peers, List<string> Unreachable)> ListAsync(string after, int count, CancellationToken cancellationToken);

    /// <summary>All that are attached to the other replicas, and then who comes and goes, until it is cancelled.</summary>
    IAsyncEnumerable<PeerChange> WatchAsync(CancellationToken cancellationToken);

    /// <summary>Looks for one until there is one.</summary>
    /// <param name="name">The name.</param>
    /// <param name="except">None of these.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<ICallTarget> WaitAsync(string name, IReadOnlyCollection<ICallTarget> except, CancellationToken cancellationToken);
}
