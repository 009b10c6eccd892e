using System.Runtime.CompilerServices;
using Xunit;

namespace Backchannel.Tests.Readme;

/// <summary>What README shows is what is compiled and run here.</summary>
public class ReadmeTests
{
    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/getting-started.md")]
    public void Every_block_of_code_is_a_piece_of_a_file_that_is_compiled(string page)
    {
        var root = Path.GetDirectoryName(Path.GetDirectoryName(Folder()))!;
        var files = Directory.EnumerateFiles(Path.Combine(root, "Samples", "Quickstart"), "*", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(Folder()))
            .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Where(path => Path.GetExtension(path) is ".cs" or ".csproj" or ".proto" or ".json")
            .Select(File.ReadAllLines)
            .ToList();
        var blocks = CodeBlock.ReadAll(Path.Combine(root, page));

        Assert.NotEmpty(blocks);
        Assert.All(blocks, block => Assert.True(
            files.Any(block.IsPartOf),
            $"{page}, line {block.Line}: this is in no file of Samples/Quickstart or Backchannel.Tests/Readme:\n{string.Join('\n', block.Lines)}"));
    }

    [Theory]
    [InlineData("a\nb", true)]
    [InlineData("    a\n    b\n", true)]
    [InlineData("x\n  a\n  b\ny", true)]
    [InlineData("  a\n    b", false)]
    [InlineData("a\n\nb", false)]
    [InlineData("a\nbc", false)]
    [InlineData("a", false)]
    public void A_block_is_found_by_its_lines_and_not_by_its_indent(string file, bool expected)
        => Assert.Equal(expected, new CodeBlock(1, "", ["a", "b"]).IsPartOf(file.Split('\n')));

    internal static string Folder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
