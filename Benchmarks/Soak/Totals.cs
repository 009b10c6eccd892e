namespace Benchmarks.Soak;

/// <summary>What has been done so far. All fields by Interlocked.</summary>
internal sealed class Totals
{
    public long Opened;
    public long OpenNow;
    public long Bytes;
    public long Verified;
    public long Resets;
    public long Abandoned;
    public long Cancelled;
    public long Pings;
    public long Starvations;
    public long Sessions;

    public override string ToString() => FormattableString.Invariant(
        $"{Opened:N0} streams opened, {Bytes >> 20:N0} MiB, {Verified:N0} verified to the end, {Resets:N0} reset, {Abandoned:N0} abandoned, {Cancelled:N0} operations cancelled, {Pings:N0} pings, starved {Starvations:N0} times, {Sessions:N0} sessions replaced");
}
