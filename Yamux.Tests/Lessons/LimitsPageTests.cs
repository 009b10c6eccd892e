using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Yamux.Tests.Lessons;

/// <summary>docs/limits.md names options and tests; they are there, and the defaults are right.</summary>
public partial class LimitsPageTests
{
    [Fact]
    public void Every_test_that_the_page_names_exists()
    {
        var names = TestName().Matches(Page()).Select(match => (Class: match.Groups[1].Value, Method: match.Groups[2].Value)).ToList();

        var missing = names.Where(name => !typeof(LimitsPageTests).Assembly.GetTypes().Any(type => type.Name == name.Class && type.GetMethod(name.Method) is not null));

        Assert.NotEmpty(names);
        Assert.Empty(missing);
    }

    [Fact]
    public void Every_option_is_on_the_page_with_its_default()
    {
        var rows = Page().Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)).ToList();
        var options = new YamuxOptions();
        foreach (var option in typeof(YamuxOptions).GetProperties().Where(option => option.Name is not (nameof(YamuxOptions.TimeProvider) or nameof(YamuxOptions.MeterFactory))))
        {
            var row = rows.Find(row => row.Split('|')[1].Split(':')[0].Contains($"`{option.Name}`", StringComparison.Ordinal));
            Assert.True(row is not null, $"{option.Name} is not on the page.");
            Assert.Contains(Text(option.GetValue(options)!), row.Split('|')[2], StringComparison.Ordinal);
        }
    }

    private static string Text(object value) => value switch
    {
        int number => number.ToString("N0", CultureInfo.InvariantCulture),
        TimeSpan time when time == Timeout.InfiniteTimeSpan => "infinite",
        TimeSpan { TotalMinutes: >= 2 } time => $"{time.TotalMinutes} min",
        TimeSpan time => $"{time.TotalSeconds} s",
        bool flag => flag ? "true" : "false",
        _ => throw new ArgumentException($"The page has no form for {value}."),
    };

    private static string Page([CallerFilePath] string caller = "")
        => File.ReadAllText(Path.Combine(Path.GetDirectoryName(caller)!, "..", "..", "docs", "limits.md"));

    [GeneratedRegex("`([A-Za-z]+Tests)\\.([A-Za-z0-9_]+)`")]
    private static partial Regex TestName();
}
