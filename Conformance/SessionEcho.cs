using Yamux;

namespace Conformance;

/// <summary>What a target does with a session of our engine, whatever carries it.</summary>
internal static class SessionEcho
{
    /// <summary>Echoes each stream until the peer's FIN, until the session has ended; cancelled, it is aborted.</summary>
    public static async Task EchoAsync(this YamuxSession session, CancellationToken cancellationToken)
    {
        var echoes = new HashSet<Task>();
        try
        {
            await foreach (var stream in session.AcceptStreamsAsync(cancellationToken))
            {
                echoes.Add(EchoAsync(stream));
                echoes.RemoveWhere(echo => echo.IsCompletedSuccessfully);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            session.Abort();
        }
        catch (YamuxException)
        {
            // The session failed, as many cases want it to; the peer has been told.
        }

        await Task.WhenAll(echoes);
    }

    private static async Task EchoAsync(YamuxStream stream)
    {
        await using (stream)
        {
            try
            {
                await stream.Input.CopyToAsync(stream.Output);
            }
            catch (YamuxException)
            {
                // Reset by the peer, or its session has ended: there is nobody to echo to.
            }
        }
    }
}
