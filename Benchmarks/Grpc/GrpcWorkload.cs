namespace Benchmarks.Grpc;

/// <summary>What is called, and how many calls run at a time.</summary>
internal sealed record GrpcWorkload(string Id, int Concurrency, string Unit)
{
    public static readonly GrpcWorkload OneAtATime = new("grpc-1", 1, "calls/s");
    public static readonly GrpcWorkload ManyAtATime = new("grpc-64", 64, "calls/s");
    public static readonly GrpcWorkload ServerStream = new("grpc-stream", 1, "MiB/s");

    public static readonly IReadOnlyList<GrpcWorkload> All = [OneAtATime, ManyAtATime, ServerStream];

    public static GrpcWorkload? Find(string id) => All.FirstOrDefault(workload => workload.Id == id);
}
