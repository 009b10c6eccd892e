namespace Backchannel;

/// <summary>The attachments of one name that the directory has, or is to have or to lose. The gate of <see cref="PeerRegistrar"/> guards it.</summary>
internal sealed class RegisteredName
{
    public List<RegisteredPeer> Peers { get; } = [];

    /// <summary>Whether it waits for its turn, or is written now.</summary>
    public bool IsQueued { get; set; }

    /// <summary>Whether something has changed since it was taken from the queue.</summary>
    public bool IsDirty { get; set; }
}
