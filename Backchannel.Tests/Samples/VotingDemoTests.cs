using Xunit;

namespace Backchannel.Tests.Samples;

[Collection(VotingCollection.Name)]
public class VotingDemoTests
{
    [Fact]
    public async Task Without_a_command_it_shows_who_calls_whom_and_over_how_many_connections()
    {
        var result = await VotingProcess.RunAsync();

        Assert.Equal("", result.Error);
        Assert.Equal(0, result.ExitCode);
        Assert.StartsWith("The server listens on 127.0.0.1:", result.Lines[0], StringComparison.Ordinal);
        Assert.Equal(
            [
                "",
                "The voter has a backchannel:",
                "  voter   calls    server  VoteTransaction: transaction 1",
                "  server  calls    voter   VoteTransaction: transaction 1",
                "  voter   answers  server  commit",
                "  server  answers  voter   commit",
                "  voter   calls    server  VoteTransaction: transaction 2",
                "  server  calls    voter   VoteTransaction: transaction 2",
                "  voter   answers  server  commit",
                "  server  answers  voter   commit",
                "TCP connections that the server has accepted so far: 1",
                "",
                "A plain client uses the same port:",
                "  plain   calls    server  VoteTransaction: transaction 3",
                "  server  refuses  plain   FailedPrecondition: non-multiplexed connection",
                "TCP connections that the server has accepted so far: 2",
                "",
                "ok: the server called a client over the connection that the client had made",
            ],
            result.Lines[1..]);
    }
}
