namespace Backchannel;

/// <summary>What becomes of several agents that are attached under one name.</summary>
public enum DuplicateNames
{
    /// <summary>All stay, and the one that attached last is called; when it goes, the one before it is again.</summary>
    Newest,

    /// <summary>While one is attached another is refused (<c>AlreadyExists</c>). The same agent coming again on a new connection is no other.</summary>
    RefuseNewer,

    /// <summary>All stay, and each call goes to the next of them.</summary>
    Spread,
}
