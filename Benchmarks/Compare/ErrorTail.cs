namespace Benchmarks.Compare;

/// <summary>The end of what a process complains of: a server may do so at each connection.</summary>
internal sealed class ErrorTail
{
    private const int MaxLength = 8 * 1024;

    private readonly Task<string> _all;

    public ErrorTail(TextReader reader) => _all = CollectAsync(reader);

    /// <summary>Once the process has ended.</summary>
    public Task<string> ReadAsync() => _all;

    private static async Task<string> CollectAsync(TextReader reader)
    {
        var tail = "";
        var buffer = new char[1024];
        while (await reader.ReadAsync(buffer) is > 0 and var count)
        {
            tail += new string(buffer, 0, count);
            if (tail.Length > MaxLength)
            {
                tail = tail[^MaxLength..];
            }
        }

        return tail.Trim();
    }
}
