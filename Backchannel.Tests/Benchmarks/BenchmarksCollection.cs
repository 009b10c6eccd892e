using Xunit;

namespace Backchannel.Tests.Benchmarks;

/// <summary>One process after the other: they are slow enough to start, and a soak takes every core.</summary>
[CollectionDefinition(Name)]
public sealed class BenchmarksCollection
{
    public const string Name = "Benchmarks";
}
