using Yamux;

namespace Benchmarks.Wire.Own;

/// <summary>The options that this engine is measured with: the defaults, but for what is measured itself.</summary>
internal static class OwnOptions
{
    private const int ManyStreams = 1 << 20;

    public static YamuxOptions Create(WireSettings settings)
    {
        var options = new YamuxOptions { MaxInboundStreams = ManyStreams };
        if (settings.Window is { } window)
        {
            options.InitialStreamWindowSize = window; // Fixed, as the other implementations' are.
            options.MaxStreamWindowSize = window;
        }

        if (settings.MaxWindow is { } maxWindow)
        {
            options.MaxStreamWindowSize = maxWindow;
        }

        return options;
    }
}
