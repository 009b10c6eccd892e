using Yamux;

namespace Sidechannel;

/// <summary>
/// Cancels when nothing at all has come on a session for a time. Who sends something else meanwhile is alive, and on a slow connection the answer stands behind that.
/// </summary>
internal sealed class SilenceLimit : IDisposable
{
    private readonly YamuxSession _session;
    private readonly CancellationTokenSource _over;
    private readonly ITimer _timer;
    private long _seen;

    /// <param name="session">What is listened to.</param>
    /// <param name="limit">How long the silence may be: it is noticed before it is twice as long.</param>
    /// <param name="over">What is cancelled. Dispose of this first.</param>
    public SilenceLimit(YamuxSession session, TimeSpan limit, CancellationTokenSource over)
    {
        (_session, _over, _seen) = (session, over, session.BytesReceived);
        _timer = session.GetOptions().TimeProvider.CreateTimer(static limit => ((SilenceLimit)limit!).Look(), this, limit, limit);
    }

    /// <summary>Whether it was silent for so long.</summary>
    public bool IsOver { get; private set; }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        var count = _session.BytesReceived;
        if (count != Interlocked.Exchange(ref _seen, count))
        {
            return;
        }

        IsOver = true;
        try
        {
            _over.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The answer came in this instant: a timer that is disposed may still fire.
        }
    }
}
