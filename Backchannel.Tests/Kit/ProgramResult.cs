using Xunit;

namespace Backchannel.Tests.Kit;

/// <summary>What a run of a program has printed, and its exit code.</summary>
internal record ProgramResult(int ExitCode, string Output, string Error)
{
    public string[] Lines => Output.TrimEnd().Split('\n');

    /// <summary>One line that says all of this, exit code 2, nothing else.</summary>
    public void AssertExplained(params string[] parts)
    {
        Assert.Equal(2, ExitCode);
        Assert.Equal("", Output);
        var line = Assert.Single(Error.TrimEnd().Split('\n'));
        Assert.StartsWith("error: ", line, StringComparison.Ordinal);
        Assert.All(parts, part => Assert.Contains(part, line, StringComparison.Ordinal));
    }
}
