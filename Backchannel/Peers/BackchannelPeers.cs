using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Backchannel;

/// <inheritdoc cref="IBackchannelPeers"/>
internal sealed class BackchannelPeers(PeerNames names, IOtherReplicas others, PeersDrain drain, IHttpContextAccessor accessor, IOptions<BackchannelServerOptions> options) : IBackchannelPeers
{
    private const int PageSize = 1000;

    private static readonly PeerCallOptions Defaults = new();

    private readonly LinkTeller _teller = new(names);

    private readonly TimeProvider _timeProvider = options.Value.Yamux.TimeProvider;

    public TClient GetClient<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TClient>(string name, PeerCallOptions? options = null)
        where TClient : ClientBase<TClient>
        => GeneratedClient<TClient>.Create(GetInvoker(name, options));

    public CallInvoker GetInvoker(string name, PeerCallOptions? options = null)
    {
        PeerName.ThrowIfInvalid(name);
        return new FindingInvoker(new PeerFinder(names, others, name, _timeProvider), new CallContext(accessor, options ?? Defaults, _timeProvider));
    }

    public bool TryGetPeer(string name, [NotNullWhen(true)] out BackchannelPeer? peer)
    {
        ArgumentNullException.ThrowIfNull(name);
        peer = names.Find(name);
        return peer is not null;
    }

    public async ValueTask<PeerLocation> WaitForPeerAsync(string name, CancellationToken cancellationToken = default)
    {
        PeerName.ThrowIfInvalid(name);
        return ((ICallee)await new PeerFinder(names, others, name, _timeProvider).WaitAsync(cancellationToken).ConfigureAwait(false)).Location;
    }

    public IAsyncEnumerable<PeerChange> WatchAsync(CancellationToken cancellationToken = default) => WatchHereAsync(cancellationToken);

    public IAsyncEnumerable<PeerChange> WatchAsync(PeerScope scope, CancellationToken cancellationToken = default) => scope switch
    {
        PeerScope.ThisReplica => WatchHereAsync(cancellationToken),
        PeerScope.AllReplicas => others.Id is null ? WatchHereAsync(cancellationToken) : MergedChanges.ReadAsync([WatchHereAsync, others.WatchAsync], cancellationToken),
        _ => throw new ArgumentOutOfRangeException(nameof(scope), scope, $"There is no {nameof(PeerScope)} {scope}."),
    };

    private async IAsyncEnumerable<PeerChange> WatchHereAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var watch = names.Watch();
        await foreach (var change in watch.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            yield return change;
        }
    }

    public async IAsyncEnumerable<PeerLocation> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        string? continuation = null;
        do
        {
            var page = await ListPageAsync(continuation, PageSize, cancellationToken).ConfigureAwait(false);
            foreach (var location in page.Peers)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return location;
            }

            continuation = page.Continuation;
        }
        while (continuation is not null);
    }

    public async ValueTask<PeerPage> ListPageAsync(string? continuation = null, int count = 100, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, LinkTeller.MostOfPage);
        cancellationToken.ThrowIfCancellationRequested();
        var after = continuation ?? "";
        var (peers, unreachable) = await others.ListAsync(after, count, cancellationToken).ConfigureAwait(false);
        peers.AddRange(_teller.List(after, count).Select(present => present.Location));
        var all = peers.OrderBy(location => location.Name, StringComparer.Ordinal).ToList();
        if (all.Count <= count)
        {
            return new PeerPage(all, null, unreachable);
        }

        // Each replica has told of so many, and so no name up to the last of these is missing.
        var last = all[count - 1].Name;
        var page = all.TakeWhile(location => string.CompareOrdinal(location.Name, last) <= 0).ToList();
        return new PeerPage(page, last, unreachable);
    }

    public Task DrainAsync(CancellationToken cancellationToken = default) => drain.DrainAsync(cancellationToken);
}
