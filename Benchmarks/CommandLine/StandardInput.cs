namespace Benchmarks.CommandLine;

/// <summary>The standard input of a process that ends with whoever holds the other end of it.</summary>
internal static class StandardInput
{
    /// <summary>Reads it to its end, not on the pool, which would be one thread short of what is measured.</summary>
    public static Task EndAsync()
        => Task.Factory.StartNew(Console.In.ReadToEnd, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
