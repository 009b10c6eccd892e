namespace Yamux.Tests.Abuse;

/// <summary>What measures the memory and the processor time of the process runs alone.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AbuseCollection
{
    public const string Name = "Abuse";
}
