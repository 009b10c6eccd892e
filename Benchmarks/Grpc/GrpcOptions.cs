using System.CommandLine;

namespace Benchmarks.Grpc;

/// <summary>The options that both processes have.</summary>
internal static class GrpcOptions
{
    /// <summary>Makes a process obey its standard input, and end with it, hence with whoever started it.</summary>
    public const string FollowName = "--follow";

    public static Option<string> Layer() => CommandLine.ChoiceOption.CreateOne(
        "--layer", "What lies between the calls and the connection:", [.. Enum.GetValues<GrpcLayer>().Select(Text)]);

    public static Option<bool> Follow(string description) => new(FollowName) { Description = description };

    public static GrpcLayer Parse(string layer) => Enum.Parse<GrpcLayer>(layer, ignoreCase: true);

    public static string Text(GrpcLayer layer) => layer.ToString().ToLowerInvariant();
}
