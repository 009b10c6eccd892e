namespace Benchmarks.Compare;

/// <summary>One line of the comparison.</summary>
internal interface IWorkload
{
    string Id { get; }

    /// <summary>What it shares with others that can only be asked for together; often the id.</summary>
    string Family { get; }

    /// <summary>The peers that it is measured against, if they are not skipped.</summary>
    IEnumerable<string> Peers { get; }

    /// <summary>About how long a pair takes, for the time that is left.</summary>
    double SecondsPerPair(bool quick);

    /// <exception cref="MeasurementException">A run failed.</exception>
    Task<WorkloadResult> MeasureAsync(Field field, CancellationToken cancellationToken);
}
