using Microsoft.Extensions.Options;

namespace Backchannel;

/// <inheritdoc cref="IOtherReplicas"/>
internal sealed class OtherReplicas : IOtherReplicas
{
    // Whoever waits looks so often, if nobody tells that something has changed.
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);

    private readonly ReplicaMembership _membership;
    private readonly PeerRegistrar _registrar;
    private readonly FarPeers _far;
    private readonly FarLists _lists;
    private readonly NameSignals _signals = new();
    private readonly TimeProvider _timeProvider;

    public OtherReplicas(ReplicaMembership membership, PeerRegistrar registrar, FarPeers far, FarLists lists, IOptions<BackchannelServerOptions> server)
    {
        _membership = membership;
        _registrar = registrar;
        _far = far;
        _lists = lists;
        _timeProvider = server.Value.Yamux.TimeProvider;
        far.Changed += _signals.Signal;
    }

    public string Id => _membership.Id;

    public ValueTask<PeerRegistrationResult> RegisterAsync(PresentPeer present, CancellationToken cancellationToken) => _registrar.WhenRegisteredAsync(present, cancellationToken);

    public ICallTarget? FindReady(string name, IReadOnlyCollection<ICallTarget> except) => _far.FindReady(name, except);

    public ValueTask<Found> FindAsync(string name, IReadOnlyCollection<ICallTarget> except, CancellationToken cancellationToken) => _far.FindAsync(name, except, cancellationToken);

    public Task<(List<PeerLocation> Peers, List<string> Unreachable)> ListAsync(string after, int count, CancellationToken cancellationToken) => _lists.ListAsync(after, count, cancellationToken);

    public IAsyncEnumerable<PeerChange> WatchAsync(CancellationToken cancellationToken) => _lists.WatchAsync(cancellationToken);

    public async Task<ICallTarget> WaitAsync(string name, IReadOnlyCollection<ICallTarget> except, CancellationToken cancellationToken)
    {
        while (true)
        {
            using var waiting = _signals.Begin(name, out var changed);
            if ((await _far.FindAsync(name, except, cancellationToken).ConfigureAwait(false)).Target is { } target)
            {
                return target;
            }

            using var moment = new CancellationTokenSource(LookInterval, _timeProvider);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(moment.Token, cancellationToken);
            await changed.WaitAsync(either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }
}
