namespace Backchannel;

/// <summary>How an agent stands to its server.</summary>
public enum BackchannelConnectionState
{
    /// <summary>It has not been attached yet, and tries to be as soon as the host has started.</summary>
    Connecting,

    /// <summary>It is attached: the server can call it, and it can call the server.</summary>
    Connected,

    /// <summary>It was attached, and tries to be again.</summary>
    Reconnecting,

    /// <summary>The host has stopped it.</summary>
    Stopped,
}
