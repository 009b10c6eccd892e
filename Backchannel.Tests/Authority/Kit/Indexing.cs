namespace Backchannel.Tests.Authority;

/// <summary>What a literal field tells the decoder to do with it.</summary>
public enum Indexing
{
    Incremental,
    Without,
    Never,
}
