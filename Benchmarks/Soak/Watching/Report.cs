namespace Benchmarks.Soak.Watching;

/// <summary>The table that grows by a line with each sample: what was done by then, and what is left of it at rest.</summary>
internal static class Report
{
    public static string Header => "  time     opened   open      MiB   verified    resets abandoned  sessions | at rest: streams  heap MiB  RSS MiB  handles  threads  allocated/stream";

    public static string Line(TimeSpan elapsed, Totals totals, long openBefore, int streams, Vitals vitals, long? allocated)
        => FormattableString.Invariant(
            $"{Time(elapsed),6} {totals.Opened,10:N0} {openBefore,6:N0} {totals.Bytes >> 20,8:N0} {totals.Verified,10:N0} {totals.Resets,9:N0} {totals.Abandoned,9:N0} {totals.Sessions,9:N0} | {streams,16:N0} {vitals.Heap / 1048576.0,9:0.0} {vitals.WorkingSet >> 20,8:N0} {vitals.Handles,8:N0} {vitals.Threads,8:N0}  ")
            + (allocated is null ? "        (warm-up)" : FormattableString.Invariant($"{allocated,16:N0}"));

    public static string Time(TimeSpan time) => FormattableString.Invariant($"{(int)time.TotalMinutes}:{time.Seconds:00}");
}
