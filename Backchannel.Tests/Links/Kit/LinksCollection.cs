using Xunit;

namespace Backchannel.Tests.Links.Kit;

/// <summary>Alone in the process: the clock of a link waits until the thread pool has nothing to do.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class LinksCollection
{
    public const string Name = "Links";
}
