namespace Benchmarks.Soak.Watching;

/// <summary>Finds what makes no progress. On a thread of its own: a deadlock may hold all those of the pool.</summary>
internal sealed class HangWatch(SoakContext context)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // How long the rest of the program may take to end by itself, which it cannot if no thread is left for it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public void Start() => new Thread(Run) { IsBackground = true, Name = nameof(HangWatch) }.Start();

    private void Run()
    {
        string? hang;
        do
        {
            Thread.Sleep(Interval);
            hang = FindHang();
        }
        while (hang is null);

        context.Failure.Report(hang);
        Thread.Sleep(Patience);
        Console.Error.WriteLine($"failed: {hang}; and the program does not end (--seed {context.Settings.Seed})");
        Environment.Exit(1);
    }

    private string? FindHang()
    {
        var hung = context.Working.Keys.Where(end => end.Idle > SoakSettings.HangLimit).OrderByDescending(end => end.Idle).ToList();
        return hung.Count == 0
            ? null
            : $"no progress for {SoakSettings.HangLimit.TotalSeconds:0} s: {hung[0]}{(hung.Count == 1 ? "" : $", and {hung.Count - 1} more")}";
    }
}
