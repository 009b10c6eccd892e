namespace Backchannel;

/// <summary>What became of an attachment.</summary>
internal enum AttachResult
{
    /// <summary>The peer can be called by its name.</summary>
    Attached,

    /// <summary>Its connection has an attachment.</summary>
    AttachedAlready,

    /// <summary>Another has the name, and it may be had once.</summary>
    NameInUse,

    /// <summary>As many others as may have the name.</summary>
    TooMany,
}
