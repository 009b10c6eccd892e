using Benchmarks.Compare;
using Benchmarks.Plots;

namespace Benchmarks.Scale;

/// <summary>Measures point after point, and says each as it is there.</summary>
internal sealed class ScaleRun(ScalePlan plan, TextWriter output) : IAsyncDisposable
{
    private const string Ours = "ours";
    private const int NanosecondsPerSecond = 1_000_000_000;

    private readonly ScaleServers _servers = new();
    private readonly CurveBuilder _echo = new("Echo of 64 B by number of streams", "streams of one session", "echoes/s");
    private readonly CurveBuilder _echoWait = new("Echo of 64 B by number of streams: 99th percentile", "streams of one session", "µs");
    private readonly CurveBuilder _idle = new("Memory of idle streams at the client", "idle streams", "bytes per stream");
    private readonly CurveBuilder _sessions = new("Echo of 64 B by number of sessions, one stream each", "sessions", "echoes/s");
    private readonly CurveBuilder _sessionMemory = new("Memory of a session with one stream at the client", "sessions", "bytes per session");
    private readonly CurveBuilder _registry = new("Finding a peer in the registry", "peers", "lookups/s");
    private readonly CurveBuilder _fairness = new("Echo of 64 B beside a bulk stream: 99th percentile", "1: bulk to the server, 2: bulk to the client", "µs");

    /// <exception cref="MeasurementException">A run failed.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await MeasureEchoAsync(cancellationToken);
        await MeasureIdleAsync(cancellationToken);
        await MeasureSessionsAsync(cancellationToken);
        MeasureRegistry(cancellationToken);
        await MeasureFairnessAsync(cancellationToken);
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
        ["fairness"] = _fairness.Build(),
    });

    public ValueTask DisposeAsync() => _servers.DisposeAsync();

    private async Task MeasureEchoAsync(CancellationToken cancellationToken)
    {
        foreach (var streams in plan.Streams)
        {
            foreach (var implementation in ScalePlan.Echoing(streams))
            {
                var figures = await MedianAsync(implementation, ScaleLoads.Echo, streams, cancellationToken);
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
            var figures = await MedianAsync(Ours, ScaleLoads.Sessions, sessions, cancellationToken);
            _sessions.Add(Ours, sessions, figures["sessions"]);
            _sessionMemory.Add(Ours, sessions, figures["sessions-memory"]);
            Say($"{sessions:#,##0} sessions: {figures["sessions"]:#,##0} echoes/s in total, p99 {figures["sessions-p99"]:#,##0} µs, {figures["sessions-memory"]:#,##0} B each");
        }
    }

    private void MeasureRegistry(CancellationToken cancellationToken)
    {
        foreach (var peers in plan.Peers)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var nanoseconds = RegistryLookups.Measure(peers, plan.LookupRounds);
            _registry.Add(Ours, peers, NanosecondsPerSecond / nanoseconds);
            Say($"registry, {peers:#,##0} peers: {nanoseconds:0.0} ns per lookup");
        }
    }

    // In turn, so that noise falls on both.
    private async Task MeasureFairnessAsync(CancellationToken cancellationToken)
    {
        foreach (var (direction, x) in new[] { ("up", 1), ("down", 2) })
        {
            var shared = new List<double>();
            var apart = new List<double>();
            for (var round = 0; round < plan.Rounds; round++)
            {
                apart.Add((await _servers.RunAsync(Ours, $"apart-{direction}", 1, plan.Seconds, cancellationToken))[$"apart-{direction}-p99"]);
                shared.Add((await _servers.RunAsync(Ours, $"shared-{direction}", 1, plan.Seconds, cancellationToken))[$"shared-{direction}-p99"]);
            }

            var ratio = Ratio.Of([.. shared.Zip(apart, (one, other) => one / other)]);
            _fairness.Add("bulk on the same session", x, Ratio.MedianOf(shared));
            _fairness.Add("bulk on a connection of its own", x, Ratio.MedianOf(apart));
            Say($"echo beside bulk {direction}, p99: same session {Ratio.MedianOf(shared):#,##0} µs, own connection {Ratio.MedianOf(apart):#,##0} µs, ratio {ratio.Median:0.00} ({ratio.Min:0.00} to {ratio.Max:0.00})");
        }
    }

    private async Task<IReadOnlyDictionary<string, double>> MedianAsync(string implementation, string load, int count, CancellationToken cancellationToken)
    {
        var rounds = new List<IReadOnlyDictionary<string, double>>();
        for (var round = 0; round < plan.Rounds; round++)
        {
            rounds.Add(await _servers.RunAsync(implementation, load, count, plan.Seconds, cancellationToken));
        }

        return rounds[0].Keys.ToDictionary(name => name, name => Ratio.MedianOf(rounds.Select(round => round[name])));
    }

    private void Say(FormattableString line) => output.WriteLine(FormattableString.Invariant(line));
}
