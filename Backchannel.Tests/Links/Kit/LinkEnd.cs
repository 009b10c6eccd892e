namespace Backchannel.Tests.Links.Kit;

/// <summary>Which end of a link calls the other.</summary>
public enum LinkEnd
{
    /// <summary>The one that has connected.</summary>
    Client,

    /// <summary>The one that was connected to.</summary>
    Server,
}
