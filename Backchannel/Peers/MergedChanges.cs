using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Backchannel;

/// <summary>Several watches as one. Behind one change that nobody has taken yet each of them waits, and leaves out what is no longer worth telling.</summary>
internal static class MergedChanges
{
    public static async IAsyncEnumerable<PeerChange> ReadAsync(
        Func<CancellationToken, IAsyncEnumerable<PeerChange>>[] watches, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var changes = Channel.CreateBounded<PeerChange>(1);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var pumping = Task.WhenAll(watches.Select(watch => PumpAsync(watch, changes.Writer, over.Token)));
        try
        {
            await foreach (var change in changes.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return change;
            }
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await pumping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task PumpAsync(Func<CancellationToken, IAsyncEnumerable<PeerChange>> watch, ChannelWriter<PeerChange> changes, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var change in watch(cancellationToken).ConfigureAwait(false))
            {
                await changes.WriteAsync(change, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            changes.TryComplete(failure);
        }
    }
}
