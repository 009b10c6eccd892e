using System.Collections.Concurrent;

namespace Voting;

/// <summary>Counts what came back for the votes. Thread safe.</summary>
internal sealed class Tally
{
    private readonly ConcurrentDictionary<Answer, int> _outcomes = new();

    public int this[Answer outcome] => _outcomes.GetValueOrDefault(outcome);

    public void Add(Answer outcome) => _outcomes.AddOrUpdate(outcome, 1, (_, count) => count + 1);

    /// <summary>A line for each outcome, the most frequent first.</summary>
    public IEnumerable<string> Describe()
        => _outcomes.OrderByDescending(pair => pair.Value).Select(pair => $"{pair.Value,8}  {pair.Key}");
}
