namespace Yamux.Tests.Model;

/// <summary>What happens between one step and the next.</summary>
internal enum Pace
{
    /// <summary>All that is under way ends, and all that was sent is delivered.</summary>
    Exchange,

    /// <summary>What is under way ends, as far as it can.</summary>
    Settle,

    /// <summary>Nothing: the next step races with what this one has begun.</summary>
    Hurry,
}
