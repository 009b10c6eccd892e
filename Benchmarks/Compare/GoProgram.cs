using System.Diagnostics;
using System.Reflection;
using Benchmarks.CommandLine;

namespace Benchmarks.Compare;

/// <summary>The Go peer: its sources are in this program, and built when they have changed.</summary>
internal static class GoProgram
{
    // Where Debian's golang-*-dev packages put their sources.
    private const string DebianGoPath = "/usr/share/gocode";
    private const string Library = "github.com/hashicorp/yamux";
    private const string Resources = "Peers/go/";

    /// <summary>Returns the contestant.</summary>
    /// <exception cref="ExplainedException">Something is missing that it is built with.</exception>
    public static async Task<Contestant> BuildAsync(CancellationToken cancellationToken)
    {
        RequireTools();
        var folder = Path.Combine(AppContext.BaseDirectory, "go-peer");
        var executable = Path.Combine(folder, "peer");
        if (await WriteSourcesAsync(folder, cancellationToken) || !File.Exists(executable))
        {
            File.Delete(executable);
            await CompileAsync(folder, executable, cancellationToken);
        }

        return new Contestant(WorkloadCatalog.Go, executable, [], []);
    }

    // Returns whether any has changed.
    private static async Task<bool> WriteSourcesAsync(string folder, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var changed = false;
        var assembly = Assembly.GetExecutingAssembly();
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Resources, StringComparison.Ordinal)))
        {
            var file = Path.Combine(folder, name[Resources.Length..]);
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            var source = await reader.ReadToEndAsync(cancellationToken);
            if (!File.Exists(file) || await File.ReadAllTextAsync(file, cancellationToken) != source)
            {
                await File.WriteAllTextAsync(file, source, cancellationToken);
                changed = true;
            }
        }

        return changed;
    }

    private static async Task CompileAsync(string folder, string executable, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("go", ["build", "-o", executable, "."])
        {
            WorkingDirectory = folder,
            RedirectStandardError = true,
        };
        start.Environment["GO111MODULE"] = "off";
        start.Environment["GOPATH"] = DebianGoPath;
        start.Environment["GOFLAGS"] = "";
        start.Environment.TryAdd("GOCACHE", Path.Combine(folder, "cache"));

        using var process = Process.Start(start)!;
        var errors = await process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
        {
            throw new MeasurementException($"go build failed with {process.ExitCode}: {errors.Trim()}");
        }
    }

    private static void RequireTools()
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        string[] missing =
        [
            .. path.Any(folder => File.Exists(Path.Combine(folder, "go"))) ? Array.Empty<string>() : ["go"],
            .. Directory.Exists(Path.Combine(DebianGoPath, "src", Library)) ? Array.Empty<string>() : [Library],
        ];
        if (missing.Length > 0)
        {
            throw new ExplainedException(
                $"No Go peer: {string.Join(" and ", missing)} not found. On Debian: apt-get install golang-go golang-github-hashicorp-yamux-dev. "
                + $"Or leave it out: --skip {WorkloadCatalog.Go}.");
        }
    }
}
