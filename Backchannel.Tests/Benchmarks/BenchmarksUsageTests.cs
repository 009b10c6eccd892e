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
    [InlineData("compare --bogus", "'--bogus'", "compare --help")]
    [InlineData("compare --only bulk2", "--only bulk2:", "bulk1, bulk1-16m,", "echo64", "idle-100k", "bdp-50ms")]
    [InlineData("compare --only echo1 --only nothing", "--only nothing:", "echo1")]
    [InlineData("compare --only echo1 nothing", "--only nothing:", "echo1")]
    [InlineData("compare --skip perl", "--skip perl:", "raw, go, nerdbank")]
    [InlineData("compare --skip ours", "--skip ours:", "raw, go, nerdbank")]
    [InlineData("compare --pairs 0", "--pairs 0:", "1 to 1000")]
    [InlineData("compare --only echo1 --json /nowhere/at/all", "--json /nowhere/at/all:")]
    [InlineData("serve --listen 127.0.0.1:0", "--impl")]
    [InlineData("serve --impl ours", "--listen")]
    [InlineData("serve --impl theirs --listen 127.0.0.1:0", "--impl theirs:", "ours, raw, nerdbank")]
    [InlineData("serve --impl ours --listen 127.0.0.1", "--listen 127.0.0.1:", "HOST:PORT", "0 to 65535")]
    [InlineData("serve --impl ours --listen 127.0.0.1:65536", "--listen 127.0.0.1:65536:", "0 to 65535")]
    [InlineData("serve --impl ours --listen 127.0.0.1:0 --window 1", "--window 1:", "262144 to 1073741824")]
    [InlineData("run --impl ours --connect 127.0.0.1:1", "run --help")]
    [InlineData("run bulk2 --impl ours --connect 127.0.0.1:1", "bulk2:", "bulk1, bulk16, small")]
    [InlineData("run echo1 --impl ours", "--connect", "run --help")]
    [InlineData("run echo1 --impl ours --connect 127.0.0.1:0", "--connect 127.0.0.1:0:", "1 to 65535")]
    [InlineData("run echo1 --impl ours --connect nowhere:1", "--connect nowhere:1:", "HOST:PORT")]
    [InlineData("run bulk1 --impl ours --connect 127.0.0.1:1 --mib 0", "--mib 0:", "1 to 1048576")]
    [InlineData("run echo1 --impl ours --connect 127.0.0.1:1 --seconds 0", "--seconds 0:", "0.01 to 3600")]
    [InlineData("run echo1 --impl ours --connect 127.0.0.1:1 --warm-up -1", "--warm-up -1:", "0 to 3600")]
    [InlineData("run idle --impl ours --connect 127.0.0.1:1 --streams 0", "--streams 0:", "1 to 1000000")]
    [InlineData("link", "--connect", "link --help")]
    [InlineData("link --connect 127.0.0.1:1 --delay -1", "--delay -1:", "0 to 10000")]
    [InlineData("link --connect 127.0.0.1:1 --rate 0", "--rate 0:", "1 to 100000")]
    public async Task A_wrong_command_line_is_explained(string commandLine, params string[] explanation)
        => (await BenchmarksProcess.RunAsync(commandLine.Split(' '))).AssertExplained(explanation);

    [Fact]
    public async Task No_command_is_explained() => (await BenchmarksProcess.RunAsync()).AssertExplained("soak", "--help");

    [Theory]
    [InlineData("--help", "compare", "serve", "run", "link", "soak")]
    [InlineData("compare --help", "--only", "--pairs", "--quick", "--json", "--skip", "bulk1-16m", "raw, go, nerdbank", "Ctrl-C")]
    [InlineData("serve --help", "--impl", "--listen", "--window", "--tls", "ours, raw, nerdbank", "HOST:PORT")]
    [InlineData("link --help", "--connect", "--delay", "--rate", "milliseconds", "megabits")]
    [InlineData("run --help", "--impl", "--connect", "--window", "--tls", "--quick", "--mib", "--seconds", "--warm-up", "--streams", "bulk16", "alloc")]
    [InlineData("soak --help", "--minutes", "--sessions", "--streams", "--seed", "0.1 to 10080", "1 to 256", "1 to 20000", "0 to 2147483647", "Ctrl-C")]
    public async Task Help_names_every_command_and_option(string commandLine, params string[] names)
    {
        var result = await BenchmarksProcess.RunAsync(commandLine.Split(' '));

        Assert.Equal(0, result.ExitCode);
        Assert.Equal("", result.Error);
        Assert.All(names, name => Assert.Contains(name, result.Output, StringComparison.Ordinal));
    }
}
