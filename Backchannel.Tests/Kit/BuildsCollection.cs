using Xunit;

namespace Backchannel.Tests.Kit;

/// <summary>One after the other: they build, or pack, the same projects of this repository.</summary>
[CollectionDefinition(Name)]
public sealed class BuildsCollection
{
    public const string Name = "Builds";
}
