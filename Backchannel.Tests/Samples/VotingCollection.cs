using Xunit;

namespace Backchannel.Tests.Samples;

/// <summary>One process after the other: they are slow enough to start.</summary>
[CollectionDefinition(Name)]
public sealed class VotingCollection
{
    public const string Name = "Voting";
}
