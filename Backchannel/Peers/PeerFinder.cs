namespace Backchannel;

/// <summary>Finds whoever has the name.</summary>
internal sealed class PeerFinder(PeerNames names, string name, TimeProvider timeProvider) : TargetFinder(timeProvider)
{
    public override ICallTarget? Find(IReadOnlyCollection<ICallTarget> except) => names.Find(name, except);

    protected override async ValueTask<ICallTarget> WaitAsync(IReadOnlyCollection<ICallTarget> except, CancellationToken cancellationToken)
        => await names.WaitAsync(name, except, cancellationToken).ConfigureAwait(false);

    protected override string Missing() => $"no peer is called \"{name}\"";
}
