namespace Benchmarks.Scale;

/// <summary>The points of all curves.</summary>
internal sealed record ScalePlan
{
    /// <summary>Everything that is of interest: several minutes.</summary>
    public static readonly ScalePlan Full = new()
    {
        Streams = [1, 10, 100, 1_000, 10_000],
        IdleStreams = [1_000, 3_000, 10_000, 30_000, 100_000],
        Sessions = [1, 10, 100, 1_000],
        Peers = [1, 10, 100, 1_000, 10_000, 100_000],
        BulkStreams = [1, 4, 16],
        Seconds = 1,
        Rounds = 3,
        LookupRounds = 200,
    };

    /// <summary>That it works: within a minute.</summary>
    public static readonly ScalePlan Quick = new()
    {
        Streams = [1, 10],
        IdleStreams = [100, 300],
        Sessions = [1, 10],
        Peers = [1, 1_000],
        BulkStreams = [1],
        Seconds = 0.2,
        Rounds = 1,
        LookupRounds = 20,
    };

    // Each stream of theirs is a connection, of which a process has not so many.
    private const int MostRawStreams = 400;

    public required IReadOnlyList<int> Streams { get; init; }

    public required IReadOnlyList<int> IdleStreams { get; init; }

    public required IReadOnlyList<int> Sessions { get; init; }

    public required IReadOnlyList<int> Peers { get; init; }

    /// <summary>How many bulk streams an echo has beside it.</summary>
    public required IReadOnlyList<int> BulkStreams { get; init; }

    /// <summary>How long each measurement takes.</summary>
    public required double Seconds { get; init; }

    /// <summary>How often each is repeated; the median counts.</summary>
    public required int Rounds { get; init; }

    public required int LookupRounds { get; init; }

    /// <summary>The implementations whose echo is measured with so many streams.</summary>
    public static IReadOnlyList<string> Echoing(int streams)
        => streams <= MostRawStreams ? ["ours", "nerdbank", "raw"] : ["ours", "nerdbank"];
}
