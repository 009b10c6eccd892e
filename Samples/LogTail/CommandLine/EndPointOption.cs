using System.CommandLine;
using System.Net;

namespace LogTail.CommandLine;

/// <summary>Makes options that take an address, and say so if it is none.</summary>
internal static class EndPointOption
{
    public static Option<IPEndPoint> Create(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "IP:PORT",
        Required = true,
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (text.Contains(':') && IPEndPoint.TryParse(text, out var endPoint))
            {
                return endPoint;
            }

            result.AddError($"{name} {text}: must be IP:PORT, such as 127.0.0.1:5001.");
            return null;
        },
    };
}
