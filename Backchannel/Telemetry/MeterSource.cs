using System.Diagnostics.Metrics;
using Yamux;

namespace Backchannel;

/// <summary>Gives sessions the meters of the container that they belong to, if the application has not said where theirs come from.</summary>
internal static class MeterSource
{
    /// <summary>The settings with that source. They may be those of other containers too, which live longer: what is not theirs is a copy.</summary>
    public static YamuxOptions Fill(YamuxOptions options, IMeterFactory meters)
    {
        if (options.MeterFactory is not null)
        {
            return options;
        }

        var filled = options.Clone();
        filled.MeterFactory = meters;
        return filled;
    }
}
