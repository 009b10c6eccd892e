namespace Yamux.Internal;

/// <summary>A stream's place in a <see cref="DeadlineQueue"/>.</summary>
internal sealed class Deadline(YamuxStream stream, long at)
{
    public YamuxStream Stream => stream;

    /// <summary>When it is due, as a timestamp of the session's clock.</summary>
    public long At => at;

    public DeadlineQueue? Queue { get; set; }

    public Deadline? Previous { get; set; }

    public Deadline? Next { get; set; }
}
