using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Xunit;

namespace Backchannel.Tests;

/// <summary>SECURITY.md names a test for each thing that it says of who can do what; they are there.</summary>
public partial class SecurityPageTests
{
    [Fact]
    public void Every_test_that_the_page_names_exists()
    {
        var root = Path.GetDirectoryName(Folder())!;
        var names = TestName().Matches(File.ReadAllText(Path.Combine(root, "SECURITY.md"))).Select(match => (Class: match.Groups[1].Value, Method: match.Groups[2].Value)).ToList();
        var files = new[] { "Backchannel.Tests", "Yamux.Tests" }
            .SelectMany(project => Directory.EnumerateFiles(Path.Combine(root, project), "*Tests.cs", SearchOption.AllDirectories))
            .ToLookup(path => Path.GetFileNameWithoutExtension(path), File.ReadAllText);

        var missing = names.Where(name => !files[name.Class].Any(text => text.Contains($" {name.Method}(", StringComparison.Ordinal)));

        Assert.NotEmpty(names);
        Assert.Empty(missing);
    }

    [Fact]
    public void Every_line_of_the_table_names_a_test()
    {
        var rows = File.ReadAllLines(Path.Combine(Path.GetDirectoryName(Folder())!, "SECURITY.md")).Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1);

        Assert.NotEmpty(rows);
        Assert.All(rows, row => Assert.Matches(TestName(), row));
    }

    private static string Folder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;

    [GeneratedRegex("`([A-Za-z0-9]+Tests)\\.([A-Za-z0-9_]+)`")]
    private static partial Regex TestName();
}
