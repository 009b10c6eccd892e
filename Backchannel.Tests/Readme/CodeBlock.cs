namespace Backchannel.Tests.Readme;

/// <summary>A fenced block of a Markdown file.</summary>
/// <param name="Line">Where it begins.</param>
/// <param name="Language">What stands behind the fence.</param>
/// <param name="Lines">What it shows.</param>
internal sealed record CodeBlock(int Line, string Language, IReadOnlyList<string> Lines)
{
    private const string Fence = "```";

    public static List<CodeBlock> ReadAll(string path)
    {
        var blocks = new List<CodeBlock>();
        CodeBlock? open = null;
        var lines = File.ReadAllLines(path);
        for (var i = 0; i < lines.Length; i++)
        {
            if (!lines[i].StartsWith(Fence, StringComparison.Ordinal))
            {
                ((List<string>?)open?.Lines)?.Add(lines[i]);
            }
            else if (open is null)
            {
                open = new CodeBlock(i + 1, lines[i][Fence.Length..], new List<string>());
            }
            else
            {
                blocks.Add(open);
                open = null;
            }
        }

        return blocks;
    }

    /// <summary>Whether a file has these lines, one after the other, all indented by the same.</summary>
    public bool IsPartOf(string[] file)
        => Enumerable.Range(0, Math.Max(0, file.Length - Lines.Count + 1)).Any(start => IsAt(file.AsSpan(start, Lines.Count)));

    private bool IsAt(ReadOnlySpan<string> piece)
    {
        var indent = piece[0].Length - piece[0].TrimStart(' ').Length;
        for (var i = 0; i < piece.Length; i++)
        {
            var line = piece[i].Length >= indent ? piece[i][indent..] : piece[i].TrimStart(' ');
            if (line != Lines[i])
            {
                return false;
            }
        }

        return true;
    }
}
