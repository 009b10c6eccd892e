using System.Net;

namespace Benchmarks.Compare;

/// <summary>One of the implementations that are compared: a program with the commands serve and run.</summary>
/// <param name="Name">As the table and the command line name it.</param>
/// <param name="Executable">The program.</param>
/// <param name="Prefix">Its arguments before the command.</param>
/// <param name="Suffix">Those after it.</param>
internal sealed record Contestant(string Name, string Executable, IReadOnlyList<string> Prefix, IReadOnlyList<string> Suffix)
{
    /// <summary>This program.</summary>
    public static Contestant Own(string implementation)
    {
        // Run as `dotnet Benchmarks.dll` the process is dotnet; run as Benchmarks it is the program itself.
        var self = Environment.ProcessPath ?? throw new InvalidOperationException("The path of this process is not known.");
        string[] prefix = Path.GetFileNameWithoutExtension(self) == "dotnet" ? [typeof(Contestant).Assembly.Location] : [];
        return new Contestant(implementation, self, prefix, ["--impl", implementation]);
    }

    /// <summary>Starts a server, which the caller disposes of.</summary>
    /// <exception cref="MeasurementException">It has not started.</exception>
    public async Task<(ChildProcess Process, IPEndPoint Address)> ServeAsync(IEnumerable<string> options, CancellationToken cancellationToken)
    {
        const string Ready = "listening on ";
        var process = new ChildProcess(
            Executable, [.. Prefix, "serve", .. Suffix, "--listen", $"{IPAddress.Loopback}:0", Serve.ServeCommand.WhileInputOption, .. options]);
        try
        {
            var line = await process.ReadAnswerAsync(TimeSpan.Zero, cancellationToken);
            return line.StartsWith(Ready, StringComparison.Ordinal) && IPEndPoint.TryParse(line[Ready.Length..], out var address)
                ? (process, address)
                : throw new MeasurementException($"its first line was '{line}', and not '{Ready}HOST:PORT'");
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a load to its end. Returns the figure that counts.</summary>
    /// <exception cref="MeasurementException">It failed, or did not end.</exception>
    public async Task<double> RunAsync(string load, IPEndPoint? server, IEnumerable<string> options, CancellationToken cancellationToken)
    {
        string[] connect = server is null ? [] : ["--connect", server.ToString()];
        await using var process = new ChildProcess(Executable, [.. Prefix, "run", load, .. Suffix, .. connect, .. options]);
        var figures = Figures.Parse(await process.SucceedAsync(TimeSpan.Zero, cancellationToken));
        return figures.Count > 0 && figures[0].Name == load
            ? figures[0].Value
            : throw new MeasurementException($"its first line was not '{load} VALUE UNIT'");
    }
}
