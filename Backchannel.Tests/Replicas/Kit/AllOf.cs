namespace Backchannel.Tests.Replicas.Kit;

/// <summary>Disposes of all of them at once, as those that stop together.</summary>
internal sealed class AllOf(params IEnumerable<IAsyncDisposable> all) : IAsyncDisposable
{
    public async ValueTask DisposeAsync() => await Task.WhenAll(all.Select(one => one.DisposeAsync().AsTask()));
}
