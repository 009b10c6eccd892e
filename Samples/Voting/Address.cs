using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Voting;

/// <summary>Where a server is: <c>127.0.0.1:7000</c>, <c>[::1]:7000</c>, <c>name:7000</c> or <c>unix:/path</c>.</summary>
internal sealed record Address(EndPoint EndPoint)
{
    private const string UnixPrefix = "unix:";

    /// <exception cref="FormatException">The text is no address; the message tells what is allowed.</exception>
    public static Address Parse(string text)
    {
        var endPoint = text.StartsWith(UnixPrefix, StringComparison.Ordinal) ? ParseUnix(text[UnixPrefix.Length..]) : ParseTcp(text);
        return new Address(endPoint ?? throw new FormatException("must be HOST:PORT with a port up to 65535, such as 127.0.0.1:7000 or [::1]:7000, or unix:PATH."));
    }

    public override string ToString() => EndPoint switch
    {
        UnixDomainSocketEndPoint unix => $"{UnixPrefix}{unix}",
        DnsEndPoint name => $"{name.Host}:{name.Port}",
        _ => EndPoint.ToString()!,
    };

    private static UnixDomainSocketEndPoint ParseUnix(string path)
    {
        try
        {
            return new UnixDomainSocketEndPoint(path);
        }
        catch (ArgumentException)
        {
            throw new FormatException("the path of a Unix socket must have 1 to about 100 characters; how many exactly, the system decides.");
        }
    }

    private static EndPoint? ParseTcp(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon < 0 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            return null;
        }

        var host = text[..colon];
        var bracketed = host.StartsWith('[') && host.EndsWith(']');
        if (IPAddress.TryParse(bracketed ? host[1..^1] : host, out var ip) && bracketed == (ip.AddressFamily == AddressFamily.InterNetworkV6))
        {
            return new IPEndPoint(ip, port);
        }

        return Uri.CheckHostName(host) == UriHostNameType.Dns ? new DnsEndPoint(host, port) : null;
    }
}
