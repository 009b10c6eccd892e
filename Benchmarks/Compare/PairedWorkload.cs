using Benchmarks.Shaping;

namespace Benchmarks.Compare;

/// <summary>A load of the command run, ours and theirs in turn: each run of theirs has one of ours beside it.</summary>
internal sealed record PairedWorkload(string Id, string Load, string Unit, double Seconds) : IWorkload
{
    private const double QuickFraction = 0.15;

    public string Family { get; init; } = Id;

    /// <summary>What is measured, if it is not this engine by itself.</summary>
    public string Subject { get; init; } = WorkloadCatalog.Ours;

    /// <summary>The goal against each peer, which may have none.</summary>
    public IReadOnlyDictionary<string, Goal?> Goals { get; init; } = new Dictionary<string, Goal?>();

    /// <summary>What ours itself must reach.</summary>
    public Goal? OwnGoal { get; init; }

    /// <summary>For both ends.</summary>
    public IReadOnlyList<string> WireOptions { get; init; } = [];

    public IReadOnlyList<string> RunOptions { get; init; } = [];

    /// <summary>Instead of those, for a quick comparison.</summary>
    public IReadOnlyList<string> QuickOptions { get; init; } = ["--quick"];

    /// <summary>What lies between client and server, if not just this machine.</summary>
    public LinkShape? Link { get; init; }

    /// <summary>What ours must reach of the link.</summary>
    public Goal? LinkGoal { get; init; }

    public bool NeedsServer { get; init; } = true;

    public IEnumerable<string> Peers => Goals.Keys;

    public double SecondsPerPair(bool quick) => quick ? Seconds * QuickFraction : Seconds;

    public async Task<WorkloadResult> MeasureAsync(Field field, CancellationToken cancellationToken)
    {
        var ours = field.Find(Subject)!;
        var peers = Goals.Keys.Select(field.Find).OfType<Contestant>().ToList();
        var ourValues = new List<double>();
        var theirValues = peers.ToDictionary(peer => peer, _ => new List<(double Theirs, double Ours)>());
        for (var pair = 0; pair < field.Pairs; pair++)
        {
            foreach (var beside in peers.Count == 0 ? [[]] : peers.Chunk(field.Quick ? peers.Count : 2))
            {
                // One of ours between two of theirs is beside both; when in haste, one is enough.
                var theirs = new List<double>();
                var own = double.NaN;
                foreach (var contestant in beside.Take(1).Append(ours).Concat(beside.Skip(1)))
                {
                    var value = await RunAsync(field, contestant, cancellationToken);
                    if (contestant == ours)
                    {
                        own = value;
                    }
                    else
                    {
                        theirs.Add(value);
                    }
                }

                ourValues.Add(own);
                foreach (var (peer, value) in beside.Zip(theirs))
                {
                    theirValues[peer].Add((value, own));
                }
            }

            field.Progress.Advance(SecondsPerPair(field.Quick));
        }

        try
        {
            return Result(ourValues, peers.Select(peer => (peer.Name, theirValues[peer])));
        }
        catch (MeasurementException error)
        {
            throw new MeasurementException($"{Id}: {error.Message}");
        }
    }

    private WorkloadResult Result(IReadOnlyList<double> ours, IEnumerable<(string Name, List<(double Theirs, double Ours)> Pairs)> peers)
    {
        var results = peers.Select(peer => new PeerResult(
            peer.Name,
            Ratio.MedianOf(peer.Pairs.Select(pair => pair.Theirs)),
            Ratio.Of([.. peer.Pairs.Select(pair => Figures.Divide(pair.Ours, pair.Theirs))]),
            Goals[peer.Name])).ToList();
        if (Link is { MebibytesPerSecond: var rate } && LinkGoal is not null)
        {
            results.Insert(0, new PeerResult("link", rate, Ratio.Of([.. ours.Select(value => value / rate)]), LinkGoal));
        }

        return new WorkloadResult(Id, Unit, Ratio.MedianOf(ours), OwnGoal, results);
    }

    private async Task<double> RunAsync(Field field, Contestant contestant, CancellationToken cancellationToken)
    {
        field.Progress.Show($"{Id}: {contestant.Name}");
        string[] options = [.. WireOptions, .. field.Quick ? QuickOptions : RunOptions];
        try
        {
            if (!NeedsServer)
            {
                return await contestant.RunAsync(Load, server: null, options, cancellationToken);
            }

            var server = await field.ServerAsync(contestant, WireOptions, cancellationToken);
            using var link = Link is null ? null : new ShapedLink(server, Link);
            return await contestant.RunAsync(Load, link?.Address ?? server, options, cancellationToken);
        }
        catch (MeasurementException error)
        {
            throw new MeasurementException($"{Id} of {contestant.Name}: {error.Message}{await field.ServerFailureAsync(contestant, WireOptions)}");
        }
    }
}
