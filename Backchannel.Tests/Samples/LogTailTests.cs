using Backchannel.Tests.Kit;
using Xunit;

namespace Backchannel.Tests.Samples;

/// <summary>The sample as its users run it.</summary>
public class LogTailTests
{
    [Fact]
    public async Task Without_a_command_a_server_fetches_an_agents_log_and_says_ok()
    {
        await using var sample = new ProgramProcess("LogTail", ["--mib", "40"]);

        var result = await sample.EndAsync();

        Assert.Equal("", result.Error);
        Assert.Equal(0, result.ExitCode);
        Assert.Matches("^ok: agent: 41,943,040 bytes of agent.log in [0-9.]+ s \\([0-9,]+ MiB/s\\); ([0-9]+ pings beside it, median|no ping beside it)", result.Lines[^1]);
    }

    [Fact]
    public async Task A_server_and_an_agent_in_two_processes_both_say_ok()
    {
        await using var server = new ProgramProcess("LogTail", ["server", "--listen", "127.0.0.1:0"]);
        var address = await server.ReadLineAsync("listening on ");

        await using var agent = new ProgramProcess("LogTail", ["agent", "--connect", address, "--name", "west", "--mib", "1"]);
        var result = await agent.EndAsync();

        Assert.Equal("", result.Error);
        Assert.Equal(["ok: the server has 1,048,576 bytes"], result.Lines);
        Assert.Contains("1,048,576 bytes of agent.log", await server.ReadLineAsync("ok: west: "), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_agent_without_the_file_fails_and_says_so()
    {
        await using var server = new ProgramProcess("LogTail", ["server", "--listen", "127.0.0.1:0", "--file", "other.log"]);
        var address = await server.ReadLineAsync("listening on ");

        await using var agent = new ProgramProcess("LogTail", ["agent", "--connect", address, "--mib", "1"]);
        var result = await agent.EndAsync();

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("other.log", result.Error, StringComparison.Ordinal);
        Assert.Contains("other.log", await server.ReadLineAsync("failed: agent: NotFound: "), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("agent --connect nowhere", "--connect nowhere: must be IP:PORT")]
    [InlineData("agent --connect 127.0.0.1:1 --mib 0", "no server answers")]
    [InlineData("agent --connect 127.0.0.1:1 --folder /no/such/folder", "--folder /no/such/folder: there is no such folder")]
    [InlineData("server --listen 192.0.2.1:1", "cannot listen on 192.0.2.1:1")]
    [InlineData("--mib -1", "--mib -1: must be a whole number from 0 to 1048576")]
    [InlineData("--mib many", "--mib many: must be a whole number from 0 to 1048576")]
    [InlineData("agent --connect 127.0.0.1:1 --mib 99999999999", "--mib 99999999999: must be a whole number from 0 to 1048576")]
    [InlineData("server --listen 127.0.0.1:0 --file ../secret", "--file ../secret: must be a name without a folder")]
    public async Task What_can_be_mended_is_explained_in_one_line(string arguments, string expected)
    {
        await using var sample = new ProgramProcess("LogTail", arguments.Split(' '));

        var result = await sample.EndAsync();

        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("error: ", result.Error, StringComparison.Ordinal);
        Assert.Contains(expected, result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
    }
}
