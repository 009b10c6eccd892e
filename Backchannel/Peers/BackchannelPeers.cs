using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Backchannel;

/// <inheritdoc cref="IBackchannelPeers"/>
internal sealed class BackchannelPeers(PeerNames names, IOtherReplicas others, PeersDrain drain, IHttpContextAccessor accessor, IOptions<BackchannelServerOptions> options) : IBackchannelPeers
{
    private static readonly PeerCallOptions Defaults = new();

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

    public async IAsyncEnumerable<PeerChange> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var watch = names.Watch();
        await foreach (var change in watch.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            yield return change;
        }
    }

    public async IAsyncEnumerable<BackchannelPeer> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        foreach (var present in names.List())
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return present.Peer;
        }
    }

    public Task DrainAsync(CancellationToken cancellationToken = default) => drain.DrainAsync(cancellationToken);
}
