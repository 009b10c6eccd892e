using System.CommandLine;
using System.Net;

namespace Benchmarks.Grpc;

/// <summary>The options that both processes have.</summary>
internal static class GrpcOptions
{
    public static Option<GrpcLayer> Layer() => new("--layer")
    {
        Description = "What lies between the calls and the connection: plain, mux, yamux or backchannel.",
        HelpName = "LAYER",
        Required = true,
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            foreach (var layer in Enum.GetValues<GrpcLayer>())
            {
                if (text == Text(layer))
                {
                    return layer;
                }
            }

            result.AddError($"--layer {text}: must be {string.Join(", ", Enum.GetValues<GrpcLayer>().Select(Text))}.");
            return default;
        },
    };

    public static Option<IPEndPoint> EndPoint(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "HOST:PORT",
        Required = true,
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (text.Contains(':') && IPEndPoint.TryParse(text, out var endPoint))
            {
                return endPoint;
            }

            result.AddError($"{name} {text}: must be HOST:PORT with an IP address, such as 127.0.0.1:7000.");
            return null;
        },
    };

    public static string Text(GrpcLayer layer) => layer.ToString().ToLowerInvariant();
}
