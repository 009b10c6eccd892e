using System.Reflection;
using System.Text.Json;
using Interop.Tests.Support;

namespace Interop.Tests.Conformance;

/// <summary>The conformance suite as its users run it: a process.</summary>
internal sealed class Yamuxspec(params string[] arguments) : ForeignPeer("yamuxspec", Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [Path, .. arguments])
{
    // A run waits out every timer of a target's that does not do what it should.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    private static readonly string Path = typeof(Yamuxspec).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == "YamuxspecPath").Value!;

    /// <summary>Runs the suite to its end. The results, by case.</summary>
    public static async Task<SpecRun> RunAsync(params string[] arguments)
    {
        var file = System.IO.Path.GetTempFileName();
        try
        {
            await using var run = new Yamuxspec(["run", .. arguments, "--format", "json", "--out", file]);
            return new SpecRun(await run.ExitAsync(Patience), Parse(await File.ReadAllTextAsync(file)));
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Runs the suite against a target that dials, which <paramref name="start"/> starts.</summary>
    public static async Task<SpecRun> RunDialledAsync(Func<string, Task<ForeignPeer>> start, params string[] arguments)
    {
        var file = System.IO.Path.GetTempFileName();
        try
        {
            await using var run = new Yamuxspec(["run", "--listen", "127.0.0.1:0", .. arguments, "--format", "json", "--out", file]);
            await using var target = await start(await run.RestOfErrorLineAsync("listening on "));
            return new SpecRun(await run.ExitAsync(Patience), Parse(await File.ReadAllTextAsync(file)));
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>The cases, in the order in which the suite has them: of each its id, and the line that tells what it expects.</summary>
    public static async Task<OrderedDictionary<string, string>> ListAsync(params string[] arguments)
    {
        var (_, output, _) = await PrintAsync(["list", .. arguments]);
        return new(output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => KeyValuePair.Create(line[..line.IndexOf(' ', StringComparison.Ordinal)], line)));
    }

    /// <summary>Runs the tool to its end. What it printed.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> PrintAsync(params string[] arguments)
    {
        await using var run = new Yamuxspec(arguments);
        var exitCode = await run.ExitAsync(Patience);
        return (exitCode, Join(run.Output), Join(run.Errors));

        static string Join(IEnumerable<string> lines) => string.Concat(lines.Select(line => line + "\n"));
    }

    private static Dictionary<string, SpecResult> Parse(string json)
    {
        using var report = JsonDocument.Parse(json);
        return report.RootElement.GetProperty("cases").EnumerateArray().Select(one => new SpecResult(
            one.GetProperty("id").GetString()!,
            one.GetProperty("requirement").GetString()!,
            one.GetProperty("sentence").GetString()!,
            one.GetProperty("passed").GetBoolean(),
            $"expected: {one.GetProperty("expected").GetString()}; seen: {one.GetProperty("seen").GetString()}\n"
                + string.Join('\n', one.GetProperty("frames").EnumerateArray().Select(frame => frame.GetString())))).ToDictionary(result => result.Id);
    }
}
