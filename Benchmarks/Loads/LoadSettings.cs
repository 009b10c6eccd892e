namespace Benchmarks.Loads;

/// <summary>How much load there is. What is not said is up to the load.</summary>
/// <param name="Quick">A few hundred milliseconds suffice.</param>
/// <param name="Bytes">The total of a load that moves a fixed number of bytes.</param>
/// <param name="Time">How long a load is measured that runs for a fixed time.</param>
/// <param name="WarmUp">How long it runs before that.</param>
/// <param name="Streams">How many streams are idle.</param>
internal sealed record LoadSettings(bool Quick, long? Bytes, TimeSpan? Time, TimeSpan? WarmUp, int? Streams);
