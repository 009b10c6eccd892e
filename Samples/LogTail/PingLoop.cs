using System.Diagnostics;
using Grpc.Core;
using LogTail.Protocol;

namespace LogTail;

/// <summary>Calls an agent again and again, and keeps how long each call took.</summary>
internal sealed class PingLoop(Agent.AgentClient agent, ProgressLine progress)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Complete when the loop has ended.</summary>
    public Latencies Latencies { get; } = new();

    /// <summary>Runs until it is cancelled, or the agent cannot be called any more, which the fetch will tell.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var start = Stopwatch.GetTimestamp();
                await agent.PingAsync(new PingRequest(), cancellationToken: cancellationToken);
                var latency = Stopwatch.GetElapsedTime(start);
                Latencies.Add(latency);
                progress.Pinged(latency);
                await Task.Delay(Pause, cancellationToken);
            }
        }
        catch (Exception error) when (error is RpcException or OperationCanceledException)
        {
        }
    }
}
