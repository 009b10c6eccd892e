namespace Benchmarks.Loads;

/// <summary>All loads.</summary>
internal static class LoadCatalog
{
    private const int LargePiece = 64 * 1024;
    private const int SmallPiece = 1024;

    public static IReadOnlyList<ILoad> All { get; } =
    [
        new BulkLoad("bulk1", streams: 1, LargePiece, bytes: 2L << 30),
        new BulkLoad("bulk16", streams: 16, LargePiece, bytes: 2L << 30),
        new BulkLoad("small", streams: 1, SmallPiece, bytes: 256L << 20),
        new EchoLoad("echo1", streams: 1),
        new EchoLoad("echo64", streams: 64),
        new OpenLoad("open1", atOnce: 1),
        new OpenLoad("open32", atOnce: 32),
        new IdleLoad("idle"),
        new AllocationLoad("alloc"),
        new SustainedLoad("bdp"),
        new BulkLoad("down1", streams: 1, LargePiece, bytes: 2L << 30, down: true),
        new ColdLoad("cold-up", down: false),
        new ColdLoad("cold-down", down: true),
        new SustainedLoad("bdp-down", down: true),
        new SlowLoad("slow", streams: 16),
        new MemoryLoad("memory"),
        new FairLoad("fair-many", cpu: false),
        new FairLoad("fair-cpu", cpu: true),
    ];
}
