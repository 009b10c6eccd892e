namespace Backchannel;

/// <summary>Finds whoever has the name: here, or else at another replica.</summary>
internal sealed class PeerFinder(PeerNames names, IOtherReplicas others, string name, TimeProvider timeProvider) : TargetFinder(timeProvider)
{
    protected override bool LooksElsewhere => others.Id is not null;

    public override ICallTarget? Find(IReadOnlyCollection<ICallTarget> except) => names.Find(name, except) ?? others.FindReady(name, except);

    /// <summary>Whoever has the name, as soon as somebody does.</summary>
    public async ValueTask<ICallTarget> WaitAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Find([]) ?? (await FindElsewhereAsync([], cancellationToken).ConfigureAwait(false)).Target ?? await WaitAsync([], cancellationToken).ConfigureAwait(false);
    }

    protected override async ValueTask<Found> FindElsewhereAsync(IReadOnlyCollection<ICallTarget> except, CancellationToken cancellationToken)
    {
        var found = await others.FindAsync(name, except, cancellationToken).ConfigureAwait(false);
        return found.Target is null && names.FindEclipsed(name, except) is { } older ? new Found(older) : found;
    }

    protected override async ValueTask<ICallTarget> WaitAsync(IReadOnlyCollection<ICallTarget> except, CancellationToken cancellationToken)
    {
        if (!LooksElsewhere)
        {
            return await names.WaitAsync(name, except, cancellationToken).ConfigureAwait(false);
        }

        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<ICallTarget>[] both = [WaitHereAsync(except, over.Token), others.WaitAsync(name, except, over.Token)];
        var first = await Task.WhenAny(both).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        await ((Task)Task.WhenAll(both)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return await first.ConfigureAwait(false);
    }

    protected override string Missing() => $"no peer is called \"{name}\"";

    private async Task<ICallTarget> WaitHereAsync(IReadOnlyCollection<ICallTarget> except, CancellationToken cancellationToken)
        => await names.WaitAsync(name, except, cancellationToken).ConfigureAwait(false);
}
