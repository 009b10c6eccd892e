namespace Backchannel.Tests.Replicas.Kit;

/// <summary>A directory that is away when a test says so, or loses its answers.</summary>
internal sealed class FaultyDirectory : BackchannelDirectory
{
    private readonly BackchannelDirectory _inner;

    public FaultyDirectory(BackchannelDirectory inner)
    {
        _inner = inner;
        inner.Changed += OnInnerChanged;
    }

    /// <summary>Whether it answers nothing, and does nothing.</summary>
    public bool IsAway { get; set; }

    /// <summary>Whether registrations are done, and their answers are lost.</summary>
    public bool LosesAnswers { get; set; }

    /// <summary>Whether nobody hears of what changes.</summary>
    public bool IsSilent { get; set; }

    /// <summary>How often it was asked for a name.</summary>
    public int Looks { get; private set; }

    public override ValueTask<ReplicaLease> RenewAsync(ReplicaRecord replica, TimeSpan lease, CancellationToken cancellationToken = default)
        => IsAway ? throw Away() : _inner.RenewAsync(replica, lease, cancellationToken);

    public override ValueTask LeaveAsync(string replicaId, CancellationToken cancellationToken = default)
        => IsAway ? throw Away() : _inner.LeaveAsync(replicaId, cancellationToken);

    public override async ValueTask<PeerRegistration> RegisterAsync(
        PeerRecord record, TimeSpan age, bool alone, CancellationToken cancellationToken = default)
    {
        var registration = IsAway ? throw Away() : await _inner.RegisterAsync(record, age, alone, cancellationToken);
        return LosesAnswers ? throw Away() : registration;
    }

    public override async ValueTask UnregisterAsync(PeerRecord record, CancellationToken cancellationToken = default)
    {
        if (IsAway)
        {
            throw Away();
        }

        await _inner.UnregisterAsync(record, cancellationToken);
        if (LosesAnswers)
        {
            throw Away();
        }
    }

    public override ValueTask<IReadOnlyList<PeerRecord>> FindAsync(string name, CancellationToken cancellationToken = default)
    {
        Looks++;
        return IsAway ? throw Away() : _inner.FindAsync(name, cancellationToken);
    }

    public override ValueTask DisposeAsync()
    {
        _inner.Changed -= OnInnerChanged;
        return base.DisposeAsync();
    }

    private static DirectoryUnavailableException Away() => new("the directory of the test is away");

    private void OnInnerChanged(string name)
    {
        if (!IsSilent)
        {
            OnChanged(name);
        }
    }
}
