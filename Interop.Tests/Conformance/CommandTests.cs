using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Interop.Tests.Conformance;

/// <summary>The tool's face: what it prints, and its exit codes.</summary>
public sealed partial class CommandTests
{
    // Two ACKs, in answer to SYN and one byte of data; the second one breaks a rule.
    private const string TwoAcks = "000100020000000100000000" + "000100020000000100000000";

    // ACK, the echo of ten bytes, and a FIN that rides on Data, which a peer SHOULD not send so.
    private const string FinOnData = "000100020000000100000000" + "00000000000000010000000A001F3E5D7C9BBAD9F817" + "000000040000000100000000";

    [Fact]
    public async Task List_prints_a_case_a_line_with_how_much_it_asks_and_where_that_comes_from()
    {
        var (exitCode, output, errors) = await Yamuxspec.PrintAsync("list");
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal((0, ""), (exitCode, errors));
        Assert.True(lines.Length >= 80, $"{lines.Length} cases");
        Assert.All(lines, line => Assert.Matches(CaseLine(), line));
        Assert.Equal(lines.Length, lines.Select(line => line.Split(' ')[0]).Distinct().Count());
    }

    [Theory]
    [InlineData("run", "error: run: give either --connect HOST:PORT or --listen HOST:PORT.")]
    [InlineData("run --connect 127.0.0.1:1 --listen 127.0.0.1:2", "error: run: give either --connect HOST:PORT or --listen HOST:PORT.")]
    [InlineData("run --connect nowhere", "error: --connect nowhere: must be HOST:PORT, with a port from 0 to 65535.")]
    [InlineData("run --connect 127.0.0.1:65536", "error: --connect 127.0.0.1:65536: must be HOST:PORT, with a port from 0 to 65535.")]
    [InlineData("run --connect 127.0.0.1:0", "error: --connect 127.0.0.1:0: the port must be 1 to 65535.")]
    [InlineData("run --connect 127.0.0.1:1 --timeout 0", "error: --timeout 0: must be a number of seconds from 0.1 to 600.")]
    [InlineData("run --connect 127.0.0.1:1 --timeout soon", "error: --timeout soon: must be a number of seconds from 0.1 to 600.")]
    [InlineData("run --connect 127.0.0.1:1 --profile go", "error: --profile go: must be one of strict, hashicorp, libp2p.")]
    [InlineData("run --connect 127.0.0.1:1 --role both", "error: --role both: must be one of client, server.")]
    [InlineData("run --connect 127.0.0.1:1 --format xml", "error: --format xml: must be one of text, json, junit.")]
    [InlineData("run --connect 127.0.0.1:1 --only open.99", "error: --only open.99: there is no such case.")]
    [InlineData("run --connect 127.0.0.1:1 --out /dev/null/report", "error: --out /dev/null/report: ")]
    [InlineData("run --listen 127.0.0.1:70000", "error: --listen 127.0.0.1:70000: must be HOST:PORT, with a port from 0 to 65535.")]
    [InlineData("echo", "error: echo: give either --listen HOST:PORT or --connect HOST:PORT.")]
    [InlineData("list --profile quic", "error: --profile quic: must be one of strict, hashicorp, libp2p.")]
    [InlineData("run --connect", "error: ")]
    [InlineData("dance", "error: ")]
    public async Task Bad_input_is_one_line_and_exit_code_2(string arguments, string beginning)
    {
        var (exitCode, output, errors) = await Yamuxspec.PrintAsync(arguments.Split(' '));
        Assert.Equal((2, ""), (exitCode, output));
        Assert.StartsWith(beginning, errors, StringComparison.Ordinal);
        Assert.Equal(1, errors.Count(character => character == '\n'));
    }

    [Fact]
    public async Task A_target_that_is_not_there_is_one_line_and_exit_code_2()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var (exitCode, _, errors) = await Yamuxspec.PrintAsync("run", "--connect", $"{taken.LocalEndPoint}", "--only", "ping.1");
        Assert.Equal(2, exitCode);
        Assert.StartsWith($"error: cannot connect to {taken.LocalEndPoint}: ", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_MUST_that_fails_shows_expected_seen_and_the_frames_and_is_exit_code_1()
    {
        await using var target = new ScriptedTarget(25, TwoAcks);
        var (exitCode, output, _) = await Yamuxspec.PrintAsync("run", "--connect", target.Address, "--only", "data.1");
        Assert.Equal(1, exitCode);
        Assert.Equal(
            """
            FAIL  data.1        MUST    One byte comes back.
                    expected: one ACK for each stream
                    seen:     WindowUpdate ACK stream 1 delta 0
                      -> WindowUpdate SYN stream 1 delta 0
                      -> Data stream 1 length 1: 00
                      <- WindowUpdate ACK stream 1 delta 0   (× 2)
                         we closed the connection

            1 cases: 0 passed, 1 failed (1 MUST, 0 SHOULD, 0 MAY)

            """,
            output,
            ignoreLineEndingDifferences: true);
    }

    [Fact]
    public async Task A_SHOULD_that_is_not_met_is_shown_and_is_exit_code_0()
    {
        await using var target = new ScriptedTarget(34, FinOnData);
        var (exitCode, output, _) = await Yamuxspec.PrintAsync("run", "--connect", target.Address, "--only", "halfclose.8");
        Assert.Equal(0, exitCode);
        Assert.StartsWith("miss  halfclose.8   SHOULD", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_has_the_cases_and_what_was_expected_and_seen()
    {
        await using var target = new ScriptedTarget(25, TwoAcks);
        var (exitCode, output, errors) = await Yamuxspec.PrintAsync("run", "--connect", target.Address, "--only", "data.1", "--format", "json");
        using var report = JsonDocument.Parse(output);
        var one = Assert.Single(report.RootElement.GetProperty("cases").EnumerateArray());
        Assert.Equal((1, 1), (exitCode, report.RootElement.GetProperty("failedMust").GetInt32()));
        Assert.Equal("one ACK for each stream", one.GetProperty("expected").GetString());
        Assert.Equal(4, one.GetProperty("frames").GetArrayLength());
        Assert.StartsWith("FAIL  data.1", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task JUnit_has_a_failure_for_a_MUST()
    {
        await using var target = new ScriptedTarget(25, TwoAcks);
        var (_, output, _) = await Yamuxspec.PrintAsync("run", "--connect", target.Address, "--only", "data.1", "--format", "junit");
        var test = Assert.Single(XDocument.Parse(output).Descendants("testcase"));
        Assert.Equal("data.1 One byte comes back.", test.Attribute("name")?.Value);
        Assert.StartsWith("expected: one ACK for each stream; seen: ", test.Element("failure")?.Attribute("message")?.Value, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_group_stands_for_its_cases()
    {
        await using var target = new Yamuxspec("echo", "--listen", "127.0.0.1:0");
        var (exitCode, output, _) = await Yamuxspec.PrintAsync("run", "--connect", $"{await target.AddressAsync()}", "--only", "ping");
        Assert.Equal(0, exitCode);
        Assert.Contains("\n11 cases: 11 passed, 0 failed", output, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^[a-z]+\.\d+ +(MUST|SHOULD|MAY) +[A-Z0-9].*\. \[.+\]$")]
    private static partial Regex CaseLine();
}
