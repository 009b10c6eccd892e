using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Yamux;

namespace Backchannel;

/// <summary>Serves the streams that a client opens besides its first.</summary>
internal sealed class InboundStreams(BackchannelPeer peer, ConnectionDelegate serve, string id, ILogger logger)
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _running = 1; // The acceptance itself.

    /// <summary>Runs until the session has ended and all of them are served.</summary>
    public async Task RunAsync()
    {
        await foreach (var stream in peer.Session.AcceptStreamsAsync().ConfigureAwait(false))
        {
            Interlocked.Increment(ref _running);
            _ = ServeAsync(stream); // It throws nothing, and counts itself out.
        }

        CountOut();
        await _ended.Task.ConfigureAwait(false);
    }

    private async Task ServeAsync(YamuxStream stream)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var connection = new YamuxStreamConnectionContext(stream, id);
        connection.Features.Set<IBackchannelPeerFeature>(new BackchannelPeerFeature(peer));
        try
        {
            await serve(connection).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            BackchannelLog.StreamFailed(logger, connection.ConnectionId, failure);
            connection.Abort();
        }

        await connection.DisposeAsync().ConfigureAwait(false);
        CountOut();
    }

    private void CountOut()
    {
        if (Interlocked.Decrement(ref _running) == 0)
        {
            _ended.SetResult();
        }
    }
}
