namespace Benchmarks.CommandLine;

/// <summary>The standard input of a process that ends with whoever holds the other end of it.</summary>
internal static class StandardInput
{
    /// <summary>Reads it to its end, not on the pool, which would be one thread short of what is measured.</summary>
    public static Task EndAsync()
        => Task.Factory.StartNew(Console.In.ReadToEnd, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Writes a line for each that it reads, until it ends.</summary>
    /// <param name="answer">Makes it, of the words of the line.</param>
    public static async Task AnswerAsync(Func<string[], Task<string>> answer)
    {
        while (await Console.In.ReadLineAsync() is { } line)
        {
            Console.WriteLine(await answer(line.Split(' ')));
        }
    }

    /// <summary>What is thrown at a line that is none of the commands.</summary>
    public static ExplainedException Unknown(string[] words, string commands) => new($"The line \"{string.Join(' ', words)}\" must be {commands}.");
}
