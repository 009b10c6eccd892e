using System.CommandLine;
using System.Globalization;
using System.Net;

namespace Benchmarks.CommandLine;

/// <summary>Options that are an address of this machine.</summary>
internal static class EndPointOption
{
    public static Option<IPEndPoint> Create(string name, string description, int lowestPort) => new(name)
    {
        Description = description,
        HelpName = "HOST:PORT",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (Parse(text) is { } address && address.Port >= lowestPort)
            {
                return address;
            }

            result.AddError(FormattableString.Invariant(
                $"{name} {text}: must be HOST:PORT, an IP address or localhost, and a port from {lowestPort} to {IPEndPoint.MaxPort}."));
            return null;
        },
    };

    private static IPEndPoint? Parse(string text)
    {
        // IPEndPoint would take an address without a port too.
        var colon = text.LastIndexOf(':');
        if (colon < 1 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            return null;
        }

        var host = text[..colon];
        return host == "localhost" ? new IPEndPoint(IPAddress.Loopback, port)
            : IPAddress.TryParse(host, out var address) ? new IPEndPoint(address, port)
            : null;
    }
}
