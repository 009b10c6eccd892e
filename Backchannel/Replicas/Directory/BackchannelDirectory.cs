namespace Backchannel;

/// <summary>
/// Where several replicas of a server find each other, and which of them an agent is attached to. It is a hint: the replica that holds an agent's connection is the truth, so what is
/// wrong in here costs a look more, and what is lost is registered again. Implementations are thread safe, keep no clock of the replicas', and bound every operation in time themselves.
/// </summary>
public abstract class BackchannelDirectory : IAsyncDisposable
{
    /// <summary>How many records a name has at most: 8.</summary>
    public const int MaxRecordsPerName = 8;

    /// <summary>
    /// Raised with a name of which a record has come or gone, for who waits for it. A hint only: it may come late, twice or never. Handlers must not block, or throw.
    /// </summary>
    public event Action<string>? Changed;

    /// <summary>Renews the lease of a replica, or begins it.</summary>
    /// <param name="replica">The replica, as others are to see it.</param>
    /// <param name="lease">For how long from now; more than 0.</param>
    /// <param name="cancellationToken">Gives up: it is unknown then whether it was renewed.</param>
    /// <exception cref="DirectoryUnavailableException">The directory did not answer, or refused.</exception>
    public abstract ValueTask<ReplicaLease> RenewAsync(ReplicaRecord replica, TimeSpan lease, CancellationToken cancellationToken = default);

    /// <summary>Ends the lease of a replica that stops in good order.</summary>
    /// <param name="replicaId">Its id. One that has no lease is no failure.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DirectoryUnavailableException">The directory did not answer, or refused.</exception>
    public abstract ValueTask LeaveAsync(string replicaId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Writes that an agent is attached, or writes it again: of one <see cref="PeerRecord.Replica"/> and <see cref="PeerRecord.Attachment"/> there is one record at most. In one step, as nobody else
    /// changes the name meanwhile: records of other replicas that have no lease, and of the same <see cref="PeerRecord.Instance"/> with a smaller generation, go.
    /// </summary>
    /// <param name="record">
    /// The record. Its generation is 0 while the directory has not given it one: then it becomes that of the record that is there, or else, with an <paramref name="age"/> of 0,
    /// the larger of one more than the largest of the name and the directory's time in µs; with another, that time less the age. Any other is written as it is.
    /// </param>
    /// <param name="age">How long ago the agent was attached, if the record was to be written before; zero: just now.</param>
    /// <param name="alone">Whether it is refused where another instance has the name (<see cref="DuplicateNames.RefuseNewer"/>).</param>
    /// <param name="cancellationToken">Gives up: it is unknown then whether it was written.</param>
    /// <exception cref="DirectoryUnavailableException">The directory did not answer, or refused: it is unknown whether it was written.</exception>
    public abstract ValueTask<PeerRegistration> RegisterAsync(
        PeerRecord record, TimeSpan age, bool alone, CancellationToken cancellationToken = default);

    /// <summary>Removes exactly this record: of its name, replica and attachment, whatever its generation. One that is not there is no failure.</summary>
    /// <param name="record">The record.</param>
    /// <param name="cancellationToken">Gives up: it is unknown then whether it was removed.</param>
    /// <exception cref="DirectoryUnavailableException">The directory did not answer, or refused.</exception>
    public abstract ValueTask UnregisterAsync(PeerRecord record, CancellationToken cancellationToken = default);

    /// <summary>The records of a name, the largest generation first; none: an empty list. Of what cannot be read nothing is told but in the log.</summary>
    /// <param name="name">The name.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DirectoryUnavailableException">The directory did not answer, or refused.</exception>
    public abstract ValueTask<IReadOnlyList<PeerRecord>> FindAsync(string name, CancellationToken cancellationToken = default);

    /// <inheritdoc/>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return default;
    }

    /// <summary>Raises <see cref="Changed"/>.</summary>
    /// <param name="name">The name.</param>
    protected void OnChanged(string name) => Changed?.Invoke(name);
}
