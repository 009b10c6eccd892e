using Xunit;

namespace Backchannel.Tests.Benchmarks;

/// <summary>What was typed wrong is told in one line: the option, the value, what is allowed.</summary>
[Collection(BenchmarksCollection.Name)]
public class BenchmarksUsageTests
{
    [Theory]
    [InlineData("--bogus", "'--bogus'", "--help")]
    [InlineData("soka", "'soka'", "--help")]
    [InlineData("soak --bogus", "'--bogus'", "soak --help")]
    [InlineData("soak 5", "'5'", "soak --help")]
    [InlineData("soak --minutes", "'--minutes'", "soak --help")]
    [InlineData("soak --minutes 0", "--minutes 0:", "a number from 0.1 to 10080")]
    [InlineData("soak --minutes 0.09", "--minutes 0.09:", "0.1 to 10080")]
    [InlineData("soak --minutes -1", "--minutes -1:", "0.1 to 10080")]
    [InlineData("soak --minutes abc", "--minutes abc:", "0.1 to 10080")]
    [InlineData("soak --minutes 1e9", "--minutes 1e9:", "0.1 to 10080")]
    [InlineData("soak --minutes NaN", "--minutes NaN:", "0.1 to 10080")]
    [InlineData("soak --minutes 1,5", "--minutes 1,5:", "0.1 to 10080")]
    [InlineData("soak --sessions 0", "--sessions 0:", "a whole number from 1 to 256")]
    [InlineData("soak --sessions 1.5", "--sessions 1.5:", "1 to 256")]
    [InlineData("soak --sessions 257", "--sessions 257:", "1 to 256")]
    [InlineData("soak --streams 0", "--streams 0:", "1 to 20000")]
    [InlineData("soak --streams 99999999999", "--streams 99999999999:", "1 to 20000")]
    [InlineData("soak --seed -1", "--seed -1:", "0 to 2147483647")]
    [InlineData("soak --seed x", "--seed x:", "0 to 2147483647")]
    public async Task A_wrong_command_line_is_explained(string commandLine, params string[] explanation)
        => (await BenchmarksProcess.RunAsync(commandLine.Split(' '))).AssertExplained(explanation);

    [Fact]
    public async Task No_command_is_explained() => (await BenchmarksProcess.RunAsync()).AssertExplained("soak", "--help");

    [Theory]
    [InlineData("--help", "soak")]
    [InlineData("soak --help", "--minutes", "--sessions", "--streams", "--seed", "0.1 to 10080", "1 to 256", "1 to 20000", "0 to 2147483647", "Ctrl-C")]
    public async Task Help_names_every_command_and_option(string commandLine, params string[] names)
    {
        var result = await BenchmarksProcess.RunAsync(commandLine.Split(' '));

        Assert.Equal(0, result.ExitCode);
        Assert.Equal("", result.Error);
        Assert.All(names, name => Assert.Contains(name, result.Output, StringComparison.Ordinal));
    }
}
