using System.Diagnostics;
using System.Runtime.CompilerServices;
using Conformance.Wire;

namespace Conformance.Running;

/// <summary>Plays cases with a target, each on a connection of its own.</summary>
internal sealed class SpecRunner(ITarget target, bool isClient, TimeSpan timeout)
{
    /// <summary>
    /// The results, in the order of <paramref name="cases"/>. Cases that wait for a timer of the target's run beside the
    /// others where it takes several connections, and come after them in any case; heavy ones come last.
    /// </summary>
    /// <exception cref="TargetUnreachableException">The target was not there for the very first case.</exception>
    public async IAsyncEnumerable<CaseResult> RunAsync(IReadOnlyList<SpecCase> cases, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var first = await RunAsync(cases[0], mustReach: true, cancellationToken);
        var slow = cases.Skip(1).Where(spec => spec.IsSlow).ToArray();
        var beside = target.TakesManyConnections
            ? slow.Select(spec => RunAsync(spec, mustReach: false, cancellationToken)).ToArray()
            : [];
        yield return first;
        foreach (var spec in cases.Skip(1).Where(spec => !spec.IsSlow && !spec.IsHeavy))
        {
            yield return await RunAsync(spec, mustReach: false, cancellationToken);
        }

        for (var index = 0; index < slow.Length; index++)
        {
            yield return await (beside.Length > 0 ? beside[index] : RunAsync(slow[index], mustReach: false, cancellationToken));
        }

        foreach (var spec in cases.Skip(1).Where(spec => spec.IsHeavy))
        {
            yield return await RunAsync(spec, mustReach: false, cancellationToken);
        }
    }

    private async Task<CaseResult> RunAsync(SpecCase spec, bool mustReach, CancellationToken cancellationToken)
    {
        var transcript = new Transcript();
        var started = Stopwatch.GetTimestamp();
        SpecFailedException? failure = null;
        try
        {
            await using var peer = await TestedPeer.ConnectAsync(target, transcript, isClient, timeout, cancellationToken);
            await spec.Run(peer);
        }
        catch (SpecFailedException error)
        {
            failure = error;
        }
        catch (TargetUnreachableException error) when (!mustReach || transcript.Lines.Count > 0)
        {
            failure = new SpecFailedException("a connection to the target", error.Message);
        }
        catch (Exception error) when (error is not (TargetUnreachableException or OperationCanceledException))
        {
            // A fault of the suite's own. The other cases still have something to say.
            failure = new SpecFailedException("a case that runs to its end", $"a fault of yamuxspec: {error}");
        }

        return new CaseResult(spec, failure, failure is null ? [] : transcript.Lines, Stopwatch.GetElapsedTime(started));
    }
}
