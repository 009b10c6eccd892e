namespace Yamux.Tests.Model;

/// <summary>Alone in the process: the sequences take both processors, and exceptions that nobody observed must be theirs.</summary>
[CollectionDefinition(nameof(RandomSequenceTests), DisableParallelization = true)]
public sealed class RandomSequenceCollection;
