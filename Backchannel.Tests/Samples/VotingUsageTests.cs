using Xunit;

namespace Backchannel.Tests.Samples;

/// <summary>What was typed wrong is told in one line: the option, the value, what is allowed.</summary>
[Collection(VotingCollection.Name)]
public class VotingUsageTests
{
    [Theory]
    [InlineData("--bogus", "'--bogus'", "--help")]
    [InlineData("srever", "'srever'", "--help")]
    [InlineData("server", "'--listen' is required")]
    [InlineData("server --listen 127.0.0.1:0 --bogus", "'--bogus'", "server --help")]
    [InlineData("server --listen 7000", "--listen 7000", "127.0.0.1:7000")]
    [InlineData("server --listen 127.0.0.1:65536", "--listen 127.0.0.1:65536", "65535")]
    [InlineData("server --listen name.invalid:7000", "--listen name.invalid:7000", "IP address")]
    [InlineData("server --listen 192.0.2.1:7000", "192.0.2.1:7000", "Choose another address")]
    [InlineData("server --listen unix:", "--listen unix:", "characters")]
    [InlineData("server --listen 127.0.0.1:0 --tls cert.pem", "--tls cert.pem", "two PEM files")]
    [InlineData("server --listen 127.0.0.1:0 --client-ca ca.pem", "--client-ca ca.pem", "--tls")]
    [InlineData("client", "'--connect' is required")]
    [InlineData("client --connect 127.0.0.1:1 --bogus", "'--bogus'", "client --help")]
    [InlineData("client --connect 127.0.0.1:0", "127.0.0.1:0", "--connect")]
    [InlineData("client --connect 127.0.0.1:1 --votes 0", "--votes 0", "1 to 1000000")]
    [InlineData("client --connect 127.0.0.1:1 --votes -5", "--votes -5", "1 to 1000000")]
    [InlineData("client --connect 127.0.0.1:1 --votes many", "--votes many", "1 to 1000000")]
    [InlineData("client --connect 127.0.0.1:1 --concurrency 0", "--concurrency 0", "1 to 1000")]
    [InlineData("client --connect 127.0.0.1:1 --votes 2 --concurrency 3", "--concurrency 3", "at most the number of votes, 2")]
    [InlineData("client --connect 127.0.0.1:1 --answer perhaps", "--answer perhaps", "commit, abort, stop or error:CODE:TEXT")]
    [InlineData("client --connect 127.0.0.1:1 --answer error:Internal", "--answer error:Internal", "error:CODE:TEXT")]
    [InlineData("client --connect 127.0.0.1:1 --answer error:Intern:x", "--answer error:Intern:x", "Cancelled, Unknown, InvalidArgument")]
    [InlineData("client --connect 127.0.0.1:1 --answer error:OK:x", "--answer error:OK:x", "Cancelled, Unknown, InvalidArgument")]
    [InlineData("client --connect 127.0.0.1:1 --cert cert.pem key.pem", "--cert cert.pem", "--tls-ca")]
    [InlineData("client --connect 127.0.0.1:1 --tls-ca /no/such/ca.pem", "--tls-ca", "/no/such/ca.pem", "PEM")]
    public async Task A_wrong_command_line_is_explained(string commandLine, params string[] explanation)
        => (await VotingProcess.RunAsync(commandLine.Split(' '))).AssertExplained(explanation);

    [Theory]
    [InlineData("--help", "server", "client")]
    [InlineData("server --help", "--listen", "--tls", "--client-ca", "Ctrl-C")]
    [InlineData("client --help", "--connect", "--votes", "--concurrency", "--answer", "--plain", "--tls-ca", "--cert", "Exit code")]
    public async Task Help_names_every_command_and_option(string commandLine, params string[] names)
    {
        var result = await VotingProcess.RunAsync(commandLine.Split(' '));

        Assert.Equal(0, result.ExitCode);
        Assert.Equal("", result.Error);
        Assert.All(names, name => Assert.Contains(name, result.Output, StringComparison.Ordinal));
    }
}
