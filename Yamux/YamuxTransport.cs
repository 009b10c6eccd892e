using System.IO.Pipelines;

namespace Yamux;

/// <summary>
/// A connection as the transport of a <see cref="YamuxSession"/>: bytes in both directions, and the ways in which it ends. For connections that
/// cannot be ended by completing a pipe alone; for all else <see cref="YamuxSession.Create(IDuplexPipe, YamuxRole, YamuxOptions?, Microsoft.Extensions.Logging.ILogger?)"/>
/// takes a pipe, or a stream.
/// </summary>
/// <remarks>The session calls each member that ends something with no lock held, and not at the same time as another.</remarks>
public abstract class YamuxTransport : IDuplexPipe, IAsyncDisposable
{
    /// <summary>What the peer sends. The session consumes all that it reads, and completes it last.</summary>
    public abstract PipeReader Input { get; }

    /// <summary>What is sent to the peer. The session writes one piece after the other, and completes it when nothing more will come.</summary>
    public abstract PipeWriter Output { get; }

    /// <summary>
    /// When the input has ended: whether it was a reset. That is told once, and where it was a write that was told, what is read looks like the peer's own end.
    /// </summary>
    internal virtual bool WasReset => false;

    /// <summary>
    /// Closes the connection at once, whatever has not left yet: the session has failed, or was aborted. A read and a write that are under way end. Must not throw or wait, and do
    /// nothing the second time.
    /// </summary>
    /// <param name="reason">Why the session has ended.</param>
    public abstract void Abort(Exception reason);

    /// <summary>
    /// Ends the sending side alone, where the connection can: the peer reads its end behind everything that was sent, and this end goes on reading. A read may be under way; behind the
    /// peer's answer to its last ping the session starts no other before this has returned, for a second at most: it must not wait for what the peer sends. The default cannot.
    /// </summary>
    /// <param name="cancellationToken">Cancelled when the session waits no longer.</param>
    /// <returns>True if the sending side has ended, so that the peer's own end is worth waiting for.</returns>
    public virtual ValueTask<bool> TryShutdownSendAsync(CancellationToken cancellationToken) => new(false);

    /// <summary>
    /// The session has ended in order, and nothing tells whether the peer takes what was written last: it has closed its side, or broke the protocol. Sees to it that the connection is closed after
    /// <paramref name="timeout"/> at the latest, as by <see cref="Abort"/>, also where its disposal would wait for the peer. Returns at once. The default does nothing.
    /// </summary>
    /// <param name="timeout"><see cref="YamuxOptions.ConnectionWriteTimeout"/>; more than 0, and not infinite.</param>
    /// <param name="timeProvider">The session's clock.</param>
    /// <param name="reason">Why the session has ended.</param>
    public virtual void AbortAfter(TimeSpan timeout, TimeProvider timeProvider, Exception reason)
    {
    }

    /// <summary>
    /// Releases the connection, when both sides were completed. Nothing is waited for any more that was written: the peer has it, or will never have it.
    /// </summary>
    public abstract ValueTask DisposeAsync();
}
