namespace Benchmarks.Loads;

/// <summary>What a client does to a server, and what is measured of it there.</summary>
internal interface ILoad
{
    /// <summary>As the command line names it.</summary>
    string Id { get; }

    /// <summary>Whether another process must serve; else both ends are in this one.</summary>
    bool NeedsServer => true;

    /// <summary>The first of the figures is the one that counts.</summary>
    Task<IReadOnlyList<Figure>> RunAsync(LoadTarget target, LoadSettings settings);
}
