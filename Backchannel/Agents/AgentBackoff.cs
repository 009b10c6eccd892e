namespace Backchannel;

/// <summary>
/// How long the agent waits before a further attempt: full jitter, so that a thousand agents that have lost one server do not come at the next one together.
/// </summary>
/// <param name="options">The bounds.</param>
/// <param name="random">A number from 0 to less than 1.</param>
internal sealed class AgentBackoff(BackchannelAgentOptions options, Func<double> random)
{
    // Behind a connection that was good.
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);

    private int _failures;
    private bool _wasGood;

    /// <summary>The agent was attached.</summary>
    public void Reset()
    {
        _failures = 0;
        _wasGood = true;
    }

    /// <summary>The next wait.</summary>
    /// <param name="isLasting">The refusal will not change by itself.</param>
    /// <param name="atLeast">What the server has said; null: nothing.</param>
    public TimeSpan Next(bool isLasting = false, TimeSpan? atLeast = null)
    {
        var wait = isLasting ? options.MaxBackoff : Bound() * random();
        return (atLeast ?? TimeSpan.Zero) + wait; // All that were told the same time would come together.
    }

    private TimeSpan Bound()
    {
        if (_wasGood)
        {
            _wasGood = false;
            return First < options.MaxBackoff ? First : options.MaxBackoff;
        }

        var bound = options.MinBackoff * Math.Pow(2, Math.Min(_failures++, 40));
        return bound < options.MaxBackoff ? bound : options.MaxBackoff;
    }
}
