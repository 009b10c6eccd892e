namespace Backchannel;

/// <summary>
/// What a connect callback belongs to that stands for one connection: a further one would be another peer to the server, or go to another server, and whoever is attached would not know.
/// </summary>
internal interface IConnectsOnce
{
    /// <summary>Whether the session may be made. False: there was one.</summary>
    bool TryBeginSession();
}
