namespace Backchannel;

/// <summary>What is known of one attachment in the directory. The gate of <see cref="PeerRegistrar"/> guards it.</summary>
internal sealed class RegisteredPeer(PresentPeer present, long attachedAt)
{
    public PresentPeer Present => present;

    /// <summary>When it attached, by the clock's timestamp.</summary>
    public long AttachedAt => attachedAt;

    /// <summary>Completes when it was first written, or is known to be not allowed, or could not be for the moment.</summary>
    public TaskCompletionSource<PeerRegistrationResult> First { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>0: not known.</summary>
    public long Generation { get; set; }

    /// <summary>Whether it was tried: the directory may have it.</summary>
    public bool WasTried { get; set; }

    /// <summary>Whether it has left.</summary>
    public bool HasLeft { get; set; }
}
