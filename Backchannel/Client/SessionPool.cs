using Yamux;

namespace Backchannel;

/// <summary>
/// One session for each place that a host is connected to, whatever number of handlers, and of HTTP/2 connections of theirs, use it. A further
/// connection is a further stream, if the server takes one: this library's does, Gitaly's takes one stream alone.
/// </summary>
internal sealed class SessionPool(TimeProvider timeProvider)
{
    // As long as a sidechannel's handshake may take. A server that takes one stream alone is asked once.
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Dictionary<ConnectionKey, Place> _places = [];

    /// <summary>How many places are remembered: those with an open session, and those to which somebody connects.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _places.Count;
            }
        }
    }

    /// <summary>A stream of the place's session, or of a new one that <paramref name="create"/> makes.</summary>
    /// <returns>The stream, and whether <paramref name="create"/> made its session.</returns>
    public async ValueTask<(Stream Stream, bool IsNew)> LendAsync(
        ConnectionKey key, Func<CancellationToken, ValueTask<(HostedSession Session, Stream Stream)>> create, CancellationToken cancellationToken)
    {
        var place = Enter(key);
        try
        {
            // One at a time: whoever comes second finds the session of the first.
            await place.Turn.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                if (place.Session is { IsOpen: true } session
                    && !place.TakesOneStream
                    && await LendFurtherAsync(place, session, cancellationToken).ConfigureAwait(false) is { } further)
                {
                    return (further, false);
                }

                (place.Session, var first) = await create(cancellationToken).ConfigureAwait(false);
                return (first, true);
            }
            finally
            {
                place.Turn.Release();
            }
        }
        finally
        {
            Leave(key, place);
        }
    }

    /// <summary>A session has ended: its place is forgotten, unless somebody is about to connect there.</summary>
    public void OnEnded(ConnectionKey key)
    {
        lock (_gate)
        {
            if (_places.TryGetValue(key, out var place))
            {
                ForgetUnsynchronized(key, place);
            }
        }
    }

    private async ValueTask<Stream?> LendFurtherAsync(Place place, HostedSession session, CancellationToken cancellationToken)
    {
        try
        {
            await session.Answered.WaitAsync(cancellationToken).ConfigureAwait(false); // That it takes no other before says nothing.
        }
        catch (YamuxException)
        {
            return null;
        }

        if (!session.IsOpen)
        {
            return null;
        }

        if (await session.TryLendAsync(cancellationToken).ConfigureAwait(false) is not var (lent, stream))
        {
            return null;
        }

        var lives = session.AnswersAsync(cancellationToken);
        try
        {
            await stream.Acknowledged.WaitAsync(AnswerLimit, timeProvider, cancellationToken).ConfigureAwait(false);
            return lent;
        }
        catch (TimeoutException)
        {
            // Unless nothing comes back at all: then it is the connection that is of no use.
            place.TakesOneStream = lives is { IsCompletedSuccessfully: true, Result: true };
        }
        catch (YamuxException failure) when (failure.ErrorCode == YamuxErrorCode.StreamReset)
        {
            return lent; // It is refused, and tells so: another connection would be another peer.
        }
        catch (YamuxException)
        {
            // The session has ended, or is about to: its server takes no stream more.
        }
        catch
        {
            GiveBack();
            throw;
        }

        GiveBack();
        return null;

        void GiveBack()
        {
            stream.Abort();
            lent.Dispose();
        }
    }

    private Place Enter(ConnectionKey key)
    {
        lock (_gate)
        {
            if (!_places.TryGetValue(key, out var place))
            {
                _places.Add(key, place = new Place());
            }

            place.Users++;
            return place;
        }
    }

    private void Leave(ConnectionKey key, Place place)
    {
        lock (_gate)
        {
            place.Users--;
            ForgetUnsynchronized(key, place);
        }
    }

    private void ForgetUnsynchronized(ConnectionKey key, Place place)
    {
        if (place.Users == 0 && place.Session is not { IsOpen: true })
        {
            _places.Remove(key);
            place.Turn.Dispose();
        }
    }

    private sealed class Place
    {
        public SemaphoreSlim Turn { get; } = new(1);

        public int Users { get; set; }

        // The rest is whose turn it is.
        public HostedSession? Session { get; set; }

        public bool TakesOneStream { get; set; }
    }
}
