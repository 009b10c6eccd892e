using Yamux;

namespace Backchannel;

/// <summary>What became of a stream to another replica.</summary>
/// <param name="Answer">What it has answered; null: it could not be reached.</param>
/// <param name="Stream">The stream, if the agent is there.</param>
/// <param name="Failure">Why it could not be reached.</param>
internal readonly record struct LinkOpening(LinkAnswer? Answer, YamuxStream? Stream = null, string? Failure = null)
{
    /// <summary>Whether the agent is there.</summary>
    public bool IsHere => Answer is LinkAnswer.Here or LinkAnswer.HereEncrypted;
}
