namespace LogTail;

/// <summary>How long calls took.</summary>
internal sealed class Latencies
{
    private readonly List<TimeSpan> _all = [];

    public void Add(TimeSpan latency) => _all.Add(latency);

    public override string ToString()
    {
        if (_all.Count == 0)
        {
            return "no ping beside it";
        }

        _all.Sort();
        return $"{_all.Count} pings beside it, median {_all[_all.Count / 2].TotalMilliseconds:0.0} ms, 99 % {_all[_all.Count * 99 / 100].TotalMilliseconds:0.0} ms";
    }
}
