using System.Diagnostics;

namespace Benchmarks.Compare;

/// <summary>What is being measured, and how long it will still take: on one line of a terminal, else on a line for each workload.</summary>
internal sealed class Progress(TextWriter writer, bool isTerminal, double estimatedSeconds)
{
    private readonly long _started = Stopwatch.GetTimestamp();
    private double _doneSeconds;
    private int _shown;

    /// <summary>So much of the estimate is done.</summary>
    public void Advance(double seconds) => _doneSeconds += seconds;

    public void Begin(IWorkload workload)
    {
        if (!isTerminal)
        {
            writer.WriteLine($"{workload.Id}: {Left()} left");
        }
    }

    public void Show(string what)
    {
        if (isTerminal)
        {
            var line = $"{what}, {Left()} left";
            writer.Write($"\r{line.PadRight(_shown)}");
            _shown = line.Length;
        }
    }

    public void End()
    {
        if (isTerminal)
        {
            writer.Write($"\r{new string(' ', _shown)}\r");
        }
    }

    private string Left()
    {
        // What has been done says how fast this machine is; in the beginning that is not known.
        const double Known = 5;
        var elapsed = Stopwatch.GetElapsedTime(_started).TotalSeconds;
        var speed = (elapsed + Known) / (_doneSeconds + Known);
        var left = TimeSpan.FromSeconds((estimatedSeconds - _doneSeconds) * Math.Max(speed, 0.1));
        return FormattableString.Invariant($"about {(int)left.TotalMinutes}:{left.Seconds:00}");
    }
}
