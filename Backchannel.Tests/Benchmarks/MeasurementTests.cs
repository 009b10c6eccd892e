using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Backchannel.Tests.Kit;
using Xunit;

namespace Backchannel.Tests.Benchmarks;

/// <summary>That measurements come to their end and say what they must. How fast anything is depends on the machine, and is not asserted.</summary>
[Collection(BenchmarksCollection.Name)]
public class MeasurementTests
{
    private const string Ready = "listening on ";

    [Theory]
    [InlineData("ours", "bulk1 --mib 2", "MiB/s")]
    [InlineData("ours", "bulk1 --mib 2 --tls", "MiB/s")]
    [InlineData("ours", "bulk16 --mib 3 --window 1048576", "MiB/s")]
    [InlineData("ours", "small --mib 1", "MiB/s")]
    [InlineData("ours", "echo1 --seconds 0.1 --warm-up 0", "/s")]
    [InlineData("ours", "echo64 --seconds 0.1 --warm-up 0", "/s")]
    [InlineData("ours", "open1 --seconds 0.1 --warm-up 0", "/s")]
    [InlineData("ours", "open32 --seconds 0.1 --warm-up 0", "/s")]
    [InlineData("ours", "open1 --seconds 0.01 --warm-up 0", "/s")] // Before anything is compiled: nothing ends in time.
    [InlineData("ours", "idle --streams 300", "B")]
    [InlineData("ours", "bdp --seconds 0.1 --warm-up 0", "MiB/s")]
    [InlineData("raw", "bulk1 --mib 2 --tls", "MiB/s")]
    [InlineData("raw", "bulk16 --mib 3", "MiB/s")]
    [InlineData("raw", "echo64 --seconds 0.1 --warm-up 0", "/s")]
    [InlineData("raw", "open32 --seconds 0.1 --warm-up 0", "/s")]
    [InlineData("nerdbank", "bulk16 --mib 3 --window 1048576", "MiB/s")]
    [InlineData("nerdbank", "echo64 --seconds 0.1 --warm-up 0", "/s")]
    [InlineData("nerdbank", "open32 --seconds 0.1 --warm-up 0", "/s")]
    public async Task A_load_on_a_server_of_its_kind_prints_what_it_measured(string implementation, string load, string unit)
    {
        var arguments = load.Split(' ');
        var wire = arguments.SkipWhile(argument => argument is not ("--window" or "--tls")).Prepend(implementation).Prepend("--impl").ToList();
        await using var server = new BenchmarksProcess(["serve", "--listen", "127.0.0.1:0", .. wire]);
        var address = (await server.ReadLineAsync())![Ready.Length..];

        var result = await BenchmarksProcess.RunAsync(["run", .. arguments, "--impl", implementation, "--connect", address]);

        Assert.Equal("", result.Error);
        Assert.Equal(0, result.ExitCode);
        AssertFigure(arguments[0], unit, result.Output);
    }

    [Fact]
    public async Task Allocations_are_measured_without_a_server()
    {
        var result = await BenchmarksProcess.RunAsync("run", "alloc", "--impl", "ours", "--quick");

        Assert.Equal("", result.Error);
        Assert.Equal(0, result.ExitCode);
        AssertFigure("alloc", "B", result.Output, atLeast: 0);
    }

    [Fact]
    public async Task A_server_that_is_terminated_ends_in_good_order()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "no signals there");
        await using var server = new BenchmarksProcess("serve", "--impl", "ours", "--listen", "127.0.0.1:0");
        Assert.StartsWith(Ready, await server.ReadLineAsync(), StringComparison.Ordinal);

        server.Terminate();

        Assert.Equal(new BenchmarksResult(0, "", ""), await server.EndAsync());
    }

    [Fact]
    public async Task A_run_that_is_terminated_says_so_by_its_exit_code()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "no signals there");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var run = new BenchmarksProcess("run", "bdp", "--impl", "raw", "--seconds", "1000", "--connect", $"{listener.LocalEndpoint}");
        using var connection = await listener.AcceptSocketAsync().Guarded();

        run.Terminate();

        Assert.Equal(new BenchmarksResult(130, "", ""), await run.EndAsync());
    }

    [Fact]
    public async Task A_run_against_nothing_fails()
    {
        using var unheard = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        unheard.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        var result = await BenchmarksProcess.RunAsync("run", "echo1", "--impl", "ours", "--connect", $"{unheard.LocalEndPoint}");

        Assert.Equal(1, result.ExitCode);
        Assert.Equal("", result.Output);
        Assert.StartsWith("failed: echo1 of ours: ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_cannot_listen_where_another_does()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();

        var result = await BenchmarksProcess.RunAsync("serve", "--impl", "ours", "--listen", $"{other.LocalEndpoint}");

        result.AssertExplained($"--listen {other.LocalEndpoint}");
    }

    [Fact]
    public async Task A_comparison_prints_a_table_and_writes_it_as_json()
    {
        var file = Path.GetTempFileName();
        try
        {
            var result = await BenchmarksProcess.RunAsync(
                "compare", "--only", "echo1", "--quick", "--pairs", "1", "--skip", "go", "--skip", "nerdbank", "--json", file);

            Assert.Equal(0, result.ExitCode);
            Assert.Matches("^echo1: about [0-9]+:[0-9]{2} left\n$", result.Error);
            Assert.Matches("(?m)^echo1 +[0-9,.]+ /s +raw +[0-9,.]+ +[0-9.]+ \\([0-9.]+ to [0-9.]+\\) +>= 0.85 +(met|MISSED)$", result.Output);
            Assert.Matches("(?m)^[01] of 1 goals met$", result.Output);
            Assert.Matches("(?m)^quick: ", result.Output);
            using var json = JsonDocument.Parse(await File.ReadAllTextAsync(file));
            var workload = Assert.Single(json.RootElement.EnumerateArray());
            Assert.Equal("echo1", workload.GetProperty("id").GetString());
            Assert.Equal("/s", workload.GetProperty("unit").GetString());
            var ours = workload.GetProperty("ours").GetDouble();
            var peer = Assert.Single(workload.GetProperty("peers").EnumerateObject());
            Assert.Equal("raw", peer.Name);
            var ratio = peer.Value.GetProperty("ratio").GetProperty("median").GetDouble();
            Assert.Equal(ours / peer.Value.GetProperty("value").GetDouble(), ratio, tolerance: 1e-6);
            Assert.Equal(ratio, peer.Value.GetProperty("ratio").GetProperty("min").GetDouble());
            Assert.Equal(ratio, peer.Value.GetProperty("ratio").GetProperty("max").GetDouble());
            Assert.Equal(0.85, peer.Value.GetProperty("goal").GetDouble());
            Assert.Equal(ratio >= 0.85, peer.Value.GetProperty("met").GetBoolean());
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task A_comparison_runs_through_a_link()
    {
        var result = await BenchmarksProcess.RunAsync("compare", "--only", "bdp-1ms", "--quick", "--pairs", "1");

        Assert.Equal(0, result.ExitCode);
        Assert.Matches("(?m)^bdp-1ms +[0-9,.]+ MiB/s +link +119 ", result.Output);
        Assert.Matches("(?m)^ +raw +[0-9,.]+ ", result.Output);
    }

    [Fact]
    public async Task A_link_passes_on_what_it_carries()
    {
        await using var server = new BenchmarksProcess("serve", "--impl", "ours", "--listen", "127.0.0.1:0");
        var address = (await server.ReadLineAsync())![Ready.Length..];
        await using var link = new BenchmarksProcess("link", "--connect", address, "--delay", "5");
        address = (await link.ReadLineAsync())![Ready.Length..];

        var result = await BenchmarksProcess.RunAsync("run", "bulk16", "--impl", "ours", "--connect", address, "--mib", "3");

        Assert.Equal("", result.Error);
        Assert.Equal(0, result.ExitCode);
        AssertFigure("bulk16", "MiB/s", result.Output);
    }

    [Fact]
    public async Task Without_Go_a_comparison_names_what_to_install_and_how_to_do_without()
    {
        var result = await BenchmarksProcess.RunWithoutToolsAsync("compare", "--only", "echo1");

        result.AssertExplained("go", "golang-go", "golang-github-hashicorp-yamux-dev", "--skip go");
    }

    // A first line 'ID VALUE UNIT', and others of the same form.
    private static void AssertFigure(string id, string unit, string output, double atLeast = double.Epsilon)
    {
        var lines = output.TrimEnd().Split('\n').Select(line => line.Split(' ')).ToList();
        Assert.Equal([id, unit], [lines[0][0], lines[0][2]]);
        Assert.All(lines, line =>
        {
            Assert.Equal(3, line.Length);
            _ = double.Parse(line[1], CultureInfo.InvariantCulture);
        });
        Assert.InRange(double.Parse(lines[0][1], CultureInfo.InvariantCulture), atLeast, double.MaxValue);
    }
}
