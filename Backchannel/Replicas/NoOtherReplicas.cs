namespace Backchannel;

/// <summary>One server alone.</summary>
internal sealed class NoOtherReplicas : IOtherReplicas
{
    public string? Id => null;

    public ValueTask<PeerRegistrationResult> RegisterAsync(PresentPeer present, CancellationToken cancellationToken) => new(PeerRegistrationResult.Registered);

    public ICallTarget? FindReady(string name, IReadOnlyCollection<ICallTarget> except) => null;

    public ValueTask<Found> FindAsync(string name, IReadOnlyCollection<ICallTarget> except, CancellationToken cancellationToken) => new(default(Found));

    public Task<(List<PeerLocation> Peers, List<string> Unreachable)> ListAsync(string after, int count, CancellationToken cancellationToken)
        => Task.FromResult<(List<PeerLocation>, List<string>)>(([], []));

    public IAsyncEnumerable<PeerChange> WatchAsync(CancellationToken cancellationToken) => AsyncEnumerable.Empty<PeerChange>();

    public async Task<ICallTarget> WaitAsync(string name, IReadOnlyCollection<ICallTarget> except, CancellationToken cancellationToken)
    {
        await new TaskCompletionSource().Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        throw new OperationCanceledException(cancellationToken);
    }
}
