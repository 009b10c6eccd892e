namespace Benchmarks.Grpc;

/// <summary>What is called, and how many calls run at a time.</summary>
internal sealed record CallPattern(string Name, int Concurrency, string Unit)
{
    public static readonly CallPattern OneAtATime = new("1", 1, "/s");
    public static readonly CallPattern ManyAtATime = new("64", 64, "/s");
    public static readonly CallPattern ServerStream = new("stream", 1, "MiB/s");

    public static readonly IReadOnlyList<CallPattern> All = [OneAtATime, ManyAtATime, ServerStream];

    public static CallPattern? Find(string name) => All.FirstOrDefault(pattern => pattern.Name == name);
}
