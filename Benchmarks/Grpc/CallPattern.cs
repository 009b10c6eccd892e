namespace Benchmarks.Grpc;

/// <summary>What is called, and how many calls run at a time.</summary>
internal sealed record CallPattern(string Name, int Concurrency, string Unit)
{
    public static readonly CallPattern OneAtATime = new("1", 1, "/s");
    public static readonly CallPattern ManyAtATime = new("64", 64, "/s");
    public static readonly CallPattern ServerStream = new("stream", 1, "MiB/s");

    public static readonly CallPattern ClientStream = new("upload", 1, "MiB/s");
    public static readonly CallPattern Duplex = new("duplex", 1, "MiB/s");

    /// <summary>What is measured on this machine.</summary>
    public static readonly IReadOnlyList<CallPattern> Near = [OneAtATime, ManyAtATime, ServerStream];

    /// <summary>All four kinds of calls, which are measured over a long link.</summary>
    public static readonly IReadOnlyList<CallPattern> Far = [OneAtATime, ServerStream, ClientStream, Duplex];

    public static readonly IReadOnlyList<CallPattern> All = [.. Near.Union(Far)];

    public static CallPattern? Find(string name) => All.FirstOrDefault(pattern => pattern.Name == name);
}
