using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Yamux;

namespace Backchannel;

/// <summary>A session of the client's: hands the streams that the server opens to the inner server, until either side closes.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A source without a timer has nothing to dispose, and Close may come late.")]
internal sealed class HostedSession(YamuxSession session, string id, StreamListener listener, ILogger logger)
{
    private readonly CancellationTokenSource _closing = new();

    /// <summary>Runs until the session has ended and its connection is closed.</summary>
    public async Task RunAsync()
    {
        BackchannelLog.Serving(logger);
        await using (session.ConfigureAwait(false))
        {
            try
            {
                await foreach (var stream in session.AcceptStreamsAsync(_closing.Token).ConfigureAwait(false))
                {
                    if (!listener.TryAdd(new YamuxStreamConnectionContext(stream, id)))
                    {
                        stream.Abort();
                    }
                }
            }
            catch (OperationCanceledException) when (_closing.IsCancellationRequested)
            {
                // Closed at this end; disposing the session does the rest.
            }
        }
    }

    /// <summary>Closes the session. <see cref="RunAsync"/> ends when that is done.</summary>
    public void Close() => _ = _closing.CancelAsync(); // Elsewhere: the caller may hold locks of its own.
}
