using System.Globalization;
using System.Net;

namespace Benchmarks.Compare;

/// <summary>One of the implementations that are compared: a program with the commands serve and run.</summary>
/// <param name="Name">As the table and the command line name it.</param>
/// <param name="Executable">The program.</param>
/// <param name="Prefix">Its arguments before the command.</param>
/// <param name="Suffix">Those after it.</param>
internal sealed record Contestant(string Name, string Executable, IReadOnlyList<string> Prefix, IReadOnlyList<string> Suffix)
{
    private static readonly TimeSpan LongestRun = TimeSpan.FromMinutes(2);

    /// <summary>This program.</summary>
    public static Contestant Own(string implementation)
    {
        // Run as `dotnet Benchmarks.dll` the process is dotnet; run as Benchmarks it is the program itself.
        var self = Environment.ProcessPath ?? throw new InvalidOperationException("The path of this process is not known.");
        string[] prefix = Path.GetFileNameWithoutExtension(self) == "dotnet" ? [typeof(Contestant).Assembly.Location] : [];
        return new Contestant(implementation, self, prefix, ["--impl", implementation]);
    }

    /// <summary>Starts a server, which the caller disposes of.</summary>
    public async Task<(ChildProcess Process, IPEndPoint Address)> ServeAsync(IEnumerable<string> options, CancellationToken cancellationToken)
    {
        const string Ready = "listening on ";
        var process = new ChildProcess(
            Executable, [.. Prefix, "serve", .. Suffix, "--listen", $"{IPAddress.Loopback}:0", Serve.ServeCommand.WhileInputOption, .. options]);
        try
        {
            var line = await process.ReadLineAsync(cancellationToken);
            return line is not null && line.StartsWith(Ready, StringComparison.Ordinal)
                ? (process, IPEndPoint.Parse(line[Ready.Length..]))
                : throw await process.FailureAsync();
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a load to its end. Returns the figure that counts.</summary>
    public async Task<double> RunAsync(string load, IPEndPoint? server, IEnumerable<string> options, CancellationToken cancellationToken)
    {
        string[] connect = server is null ? [] : ["--connect", server.ToString()];
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(LongestRun);
        await using var process = new ChildProcess(Executable, [.. Prefix, "run", load, .. Suffix, .. connect, .. options]);
        try
        {
            var output = await process.SucceedAsync(limit.Token);
            return output.Split('\n')[0].Split(' ') is [var name, var value, ..] && name == load
                ? double.Parse(value, CultureInfo.InvariantCulture)
                : throw new MeasurementException($"it printed '{output}', and not first a line '{load} VALUE UNIT'");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new MeasurementException($"it did not end within {LongestRun.TotalSeconds:0} s");
        }
    }
}
