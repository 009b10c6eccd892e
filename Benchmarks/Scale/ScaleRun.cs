using Benchmarks.Compare;
using Benchmarks.Plots;

namespace Benchmarks.Scale;

/// <summary>Measures point after point, and says each as it is there.</summary>
internal sealed class ScaleRun(ScalePlan plan, TextWriter output) : IAsyncDisposable
{
    private const string Ours = "ours";

    // What fewer take is lost in what the process itself allocates meanwhile.
    private const int FewestForMemory = 10;

    private readonly ScaleServers _servers = new();
    private readonly CurveBuilder _echo = new("Echo of 64 B by number of streams", "streams of one session", "echoes/s");
    private readonly CurveBuilder _echoWait = new("Echo of 64 B by number of streams: 99th percentile", "streams of one session", "µs");
    private readonly CurveBuilder _idle = new("Memory of idle streams at the client", "idle streams", "bytes per stream");
    private readonly CurveBuilder _sessions = new("Echo of 64 B by number of sessions, one stream each", "sessions", "echoes/s");
    private readonly CurveBuilder _sessionMemory = new("Memory of a session with one stream at the client", "sessions", "bytes per session");
    private readonly CurveBuilder _registry = new("Finding a peer in the registry", "peers", "ns per lookup");
    private readonly CurveBuilder _fairnessUp = new("Echo of 64 B beside bulk to the server: 99th percentile", "bulk streams", "µs");
    private readonly CurveBuilder _fairnessDown = new("Echo of 64 B beside bulk to the client: 99th percentile", "bulk streams", "µs");

    /// <summary>Whether there is a point at all.</summary>
    public bool HasMeasured { get; private set; }

    /// <exception cref="MeasurementException">A run failed.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await MeasureEchoAsync(cancellationToken);
        await MeasureIdleAsync(cancellationToken);
        await MeasureSessionsAsync(cancellationToken);
        MeasureRegistry(cancellationToken);
        foreach (var streams in plan.BulkStreams)
        {
            await MeasureFairnessAsync("up", streams, _fairnessUp, cancellationToken);
            await MeasureFairnessAsync("down", streams, _fairnessDown, cancellationToken);
        }
    }

    /// <summary>What has been measured.</summary>
    public CurveFile Curves() => new(new Dictionary<string, LineChart>
    {
        ["streams"] = _echo.Build(),
        ["streams-p99"] = _echoWait.Build(),
        ["idle-streams"] = _idle.Build(),
        ["sessions"] = _sessions.Build(),
        ["session-memory"] = _sessionMemory.Build(),
        ["registry"] = _registry.Build(),
        ["fairness-up"] = _fairnessUp.Build(),
        ["fairness-down"] = _fairnessDown.Build(),
    });

    public ValueTask DisposeAsync() => _servers.DisposeAsync();

    private async Task MeasureEchoAsync(CancellationToken cancellationToken)
    {
        foreach (var streams in plan.Streams)
        {
            foreach (var (implementation, figures) in await MediansAsync(ScalePlan.Echoing(streams), ScaleLoads.Echo, streams, cancellationToken))
            {
                _echo.Add(implementation, streams, figures["echo"]);
                _echoWait.Add(implementation, streams, figures["echo-p99"]);
                Say($"echo, {streams:#,##0} streams, {implementation}: {figures["echo"]:#,##0}/s, p99 {figures["echo-p99"]:#,##0} µs");
            }
        }
    }

    private async Task MeasureIdleAsync(CancellationToken cancellationToken)
    {
        foreach (var streams in plan.IdleStreams)
        {
            var figures = await _servers.RunAsync(Ours, ScaleLoads.Idle, streams, plan.Seconds, cancellationToken);
            _idle.Add(Ours, streams, figures["idle"]);
            Say($"idle, {streams:#,##0} streams: {figures["idle"]:#,##0} B each");
        }
    }

    private async Task MeasureSessionsAsync(CancellationToken cancellationToken)
    {
        foreach (var sessions in plan.Sessions)
        {
            var figures = (await MediansAsync([Ours], ScaleLoads.Sessions, sessions, cancellationToken))[Ours];
            _sessions.Add(Ours, sessions, figures["sessions"]);
            if (sessions >= FewestForMemory)
            {
                _sessionMemory.Add(Ours, sessions, figures["sessions-memory"]);
            }

            Say($"{sessions:#,##0} sessions: {figures["sessions"]:#,##0} echoes/s in total, p99 {figures["sessions-p99"]:#,##0} µs, {figures["sessions-memory"]:#,##0} B each");
        }
    }

    private void MeasureRegistry(CancellationToken cancellationToken)
    {
        foreach (var peers in plan.Peers)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var nanoseconds = RegistryLookups.Measure(peers, plan.LookupRounds);
            _registry.Add(Ours, peers, nanoseconds);
            Say($"registry, {peers:#,##0} peers: {nanoseconds:0.0} ns per lookup");
        }
    }

    // In turn, so that noise falls on both.
    private async Task MeasureFairnessAsync(string direction, int streams, CurveBuilder curve, CancellationToken cancellationToken)
    {
        var shared = new List<double>();
        var apart = new List<double>();
        for (var round = 0; round < plan.Rounds; round++)
        {
            apart.Add(await RunAsync($"apart-{direction}"));
            shared.Add(await RunAsync($"shared-{direction}"));
        }

        var ratio = Ratio.Of([.. shared.Zip(apart, Figures.Divide)]);
        curve.Add("same session", streams, Ratio.MedianOf(shared));
        curve.Add("own connection", streams, Ratio.MedianOf(apart));
        Say($"echo beside {streams} bulk {direction}, p99: same session {Ratio.MedianOf(shared):#,##0} µs, own connection {Ratio.MedianOf(apart):#,##0} µs, ratio {ratio.Median:0.00} ({ratio.Min:0.00} to {ratio.Max:0.00})");

        async Task<double> RunAsync(string load) => (await _servers.RunAsync(Ours, load, streams, plan.Seconds, cancellationToken))[$"{load}-p99"];
    }

    // In turn, so that noise falls on all. The figures of each implementation by their names.
    private async Task<Dictionary<string, Dictionary<string, double>>> MediansAsync(
        IReadOnlyList<string> implementations, string load, int count, CancellationToken cancellationToken)
    {
        var results = new List<(string Implementation, string Name, double Value)>();
        for (var round = 0; round < plan.Rounds; round++)
        {
            foreach (var implementation in implementations)
            {
                var figures = await _servers.RunAsync(implementation, load, count, plan.Seconds, cancellationToken);
                results.AddRange(figures.Select(figure => (implementation, figure.Key, figure.Value)));
            }
        }

        return results.GroupBy(result => result.Implementation).ToDictionary(
            own => own.Key,
            own => own.GroupBy(result => result.Name).ToDictionary(figure => figure.Key, figure => Ratio.MedianOf(figure.Select(result => result.Value))));
    }

    private void Say(FormattableString line)
    {
        HasMeasured = true;
        output.WriteLine(FormattableString.Invariant(line));
    }
}
