using Backchannel.Tests.Kit;
using Xunit;

namespace Backchannel.Tests.Samples;

/// <summary>What a run of the sample has printed, and its exit code.</summary>
internal sealed record VotingResult(int ExitCode, string Output, string Error) : ProgramResult(ExitCode, Output, Error)
{
    /// <summary>Every vote came back, as this.</summary>
    public void AssertVoted(int votes, string answer)
    {
        Assert.Equal("", Error);
        Assert.Equal(0, ExitCode);
        Assert.Equal(
            ["outcomes of the votes:", $"{votes,8}  {answer}", $"calls served: {votes}", $"ok: {votes} of {votes} votes came back as {answer}"], Lines);
    }

    /// <summary>Some votes did not come back as they were to; this is what was counted.</summary>
    public void AssertFailed(string reason, params string[] counted)
    {
        Assert.Equal(1, ExitCode);
        Assert.Equal(["outcomes of the votes:", .. counted], Lines);
        Assert.Equal($"failed: {reason}", Error.TrimEnd());
    }
}
