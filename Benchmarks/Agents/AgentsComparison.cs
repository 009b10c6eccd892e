using Benchmarks.Compare;

namespace Benchmarks.Agents;

/// <summary>Many clients that can be called, against as many plain ones; and calls by name against those by invoker.</summary>
internal sealed class AgentsComparison(AgentsPlan plan, TextWriter progress) : IComparison
{
    private const string Plain = "plain";
    private const string Invoker = "invoker";

    private static readonly Goal RequiredConnects = new(0.9);
    private static readonly Goal RequiredAttachments = new(0.85);
    private static readonly Goal RequiredCalls = new(0.8);
    private static readonly Goal RequiredNamed = new(0.95);
    private static readonly Goal MostHeap = new(1.1, AtMost: true);
    private static readonly Goal MostHeapCalled = new(1.25, AtMost: true);
    private static readonly Goal MostHeapAttached = new(1.2, AtMost: true);
    private static readonly Goal LongestLookup = new(150, AtMost: true);

    private readonly List<WorkloadResult> _results = [];

    public IReadOnlyList<WorkloadResult> Results => _results;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (plan.Groups.Contains(AgentsPlan.Connected))
        {
            await MeasureConnectedAsync(cancellationToken);
        }

        if (plan.Groups.Contains(AgentsPlan.Attached))
        {
            await MeasureAttachedAsync(cancellationToken);
        }

        if (plan.Groups.Contains(AgentsPlan.Named))
        {
            await MeasureNamesAsync(cancellationToken);
        }
    }

    private async Task MeasureConnectedAsync(CancellationToken cancellationToken)
    {
        var (plain, ours) = await HoldInTurnAsync(AgentKind.Plain, AgentKind.Connected, cancellationToken);
        Add("agents-connect", "/s", ours, plain, held => held.Connects, RequiredConnects);
        Add("agents-memory", "B", ours, plain, held => held.Heap, MostHeap);
        Add("agents-memory-call", "B", ours, plain, held => held.HeapAfter, MostHeapCalled);
        Add("agents-call", "/s", ours, plain, held => held.Calls, RequiredCalls);
        Add("agents-call-again", "/s", ours, plain, held => held.CallsAgain, RequiredCalls);
    }

    private async Task MeasureAttachedAsync(CancellationToken cancellationToken)
    {
        var (plain, ours) = await HoldInTurnAsync(AgentKind.PlainStream, AgentKind.Attached, cancellationToken);
        Add("attached-connect", "/s", ours, plain, held => held.Connects, RequiredAttachments);
        Add("attached-memory", "B", ours, plain, held => held.Heap, MostHeapAttached);
    }

    private async Task<(List<Held> Plain, List<Held> Ours)> HoldInTurnAsync(AgentKind plain, AgentKind ours, CancellationToken cancellationToken)
    {
        var plainHeld = new List<Held>();
        var ourHeld = new List<Held>();
        for (var pair = 0; pair < plan.Pairs; pair++)
        {
            plainHeld.Add(await HoldAsync(plain, cancellationToken));
            ourHeld.Add(await HoldAsync(ours, cancellationToken));
        }

        return (plainHeld, ourHeld);
    }

    private async Task<Held> HoldAsync(AgentKind kind, CancellationToken cancellationToken)
    {
        await progress.WriteLineAsync(FormattableString.Invariant($"{plan.Agents:#,##0} clients, {kind}"));
        await using var processes = await AgentProcesses.StartAsync(kind, cancellationToken);
        await processes.DoAsync($"{AgentsRunCommand.Connect} {plan.WarmUp}", cancellationToken);
        await CallEachAsync(skip: 0); // To be compiled, too.
        var before = await HeapAsync();
        var connecting = await processes.DoAsync($"{AgentsRunCommand.Connect} {plan.Agents}", cancellationToken);
        var heap = await HeapAsync();
        var calling = await CallEachAsync(plan.WarmUp);
        var callingAgain = await CallEachAsync(plan.WarmUp);
        var heapAfter = await HeapAsync();
        return new Held(plan.Agents / connecting, (heap - before) / plan.Agents, plan.Agents / calling, plan.Agents / callingAgain, (heapAfter - before) / plan.Agents);

        Task<double> HeapAsync() => processes.MeasureAsync(AgentsServeCommand.Heap, TimeSpan.Zero, cancellationToken);

        // The server calls those that it can call; the others call it.
        Task<double> CallEachAsync(int skip) => kind.IsMultiplexed()
            ? processes.MeasureAsync($"{AgentsServeCommand.Call} {skip}", TimeSpan.Zero, cancellationToken)
            : processes.DoAsync($"{AgentsRunCommand.Call} {skip}", cancellationToken);
    }

    private async Task MeasureNamesAsync(CancellationToken cancellationToken)
    {
        await progress.WriteLineAsync("calls by name");
        await using var processes = await AgentProcesses.StartAsync(AgentKind.Attached, cancellationToken);
        await processes.DoAsync($"{AgentsRunCommand.Connect} 1", cancellationToken);
        foreach (var pattern in new[] { Grpc.CallPattern.OneAtATime, Grpc.CallPattern.ManyAtATime })
        {
            var named = new List<double>();
            var direct = new List<double>();
            for (var pair = -1; pair < plan.Pairs; pair++)
            {
                var (direct1, named1) = (await MeasureAsync(AgentsServeCommand.ByInvoker), await MeasureAsync(AgentsServeCommand.ByName));
                if (pair >= 0) // The first is the warm-up.
                {
                    direct.Add(direct1);
                    named.Add(named1);
                }
            }

            Add($"named-{pattern.Name}", pattern.Unit, Invoker, named, direct, RequiredNamed);

            Task<double> MeasureAsync(string how)
                => processes.MeasureAsync(FormattableString.Invariant($"{how} {pattern.Name} {plan.Seconds}"), TimeSpan.FromSeconds(plan.Seconds), cancellationToken);
        }

        var lookup = await processes.MeasureAsync($"{AgentsServeCommand.Lookup} {plan.Names}", TimeSpan.Zero, cancellationToken);
        _results.Add(new WorkloadResult("named-lookup", "ns", lookup, LongestLookup, []));
    }

    private void Add(string id, string unit, IEnumerable<Held> ours, IEnumerable<Held> plain, Func<Held, double> figure, Goal goal)
        => Add(id, unit, Plain, [.. ours.Select(figure)], [.. plain.Select(figure)], goal);

    private void Add(string id, string unit, string peer, IReadOnlyList<double> ours, IReadOnlyList<double> theirs, Goal goal)
        => _results.Add(new WorkloadResult(
            id, unit, Ratio.MedianOf(ours), Goal: null, [new PeerResult(peer, Ratio.MedianOf(theirs), Ratio.Of([.. ours.Zip(theirs, Figures.Divide)]), goal)]));
}
