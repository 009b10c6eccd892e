using Sidechannel;

namespace Interop.Tests.Sidechannel;

/// <summary>Sending and receiving at once on one sidechannel.</summary>
internal static class Duplex
{
    /// <summary>Waits for both. What fails first ends the other, and is what is thrown.</summary>
    public static async Task RunAsync(SidechannelStream channel, Task sending, Task receiving)
    {
        var first = await Task.WhenAny(sending, receiving);
        if (!first.IsCompletedSuccessfully)
        {
            channel.Abort(first.Exception?.InnerException);
            await Task.WhenAll(sending, receiving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await first;
        await (first == sending ? receiving : sending);
    }
}
