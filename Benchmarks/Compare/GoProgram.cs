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
        try
        {
            if (!File.Exists(executable) || !await HasSourcesAsync(folder, cancellationToken))
            {
                await WriteSourcesAsync(folder, executable, cancellationToken);
                await CompileAsync(folder, executable, cancellationToken);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ExplainedException($"The Go peer cannot be built in {folder}: {error.Message} Leave it out: --skip {WorkloadCatalog.Go}.");
        }

        return new Contestant(WorkloadCatalog.Go, executable, [], []);
    }

    // Whether what is there was built from the sources in this program, and from nothing else.
    private static async Task<bool> HasSourcesAsync(string folder, CancellationToken cancellationToken)
    {
        var sources = await ReadSourcesAsync(cancellationToken);
        if (Directory.GetFiles(folder, "*.go").Length != sources.Count)
        {
            return false;
        }

        foreach (var (name, source) in sources)
        {
            var file = Path.Combine(folder, name);
            if (!File.Exists(file) || await File.ReadAllTextAsync(file, cancellationToken) != source)
            {
                return false;
            }
        }

        return true;
    }

    // The executable goes first: whatever happens then, it is built again.
    private static async Task WriteSourcesAsync(string folder, string executable, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        File.Delete(executable);
        foreach (var file in Directory.GetFiles(folder, "*.go"))
        {
            File.Delete(file);
        }

        foreach (var (name, source) in await ReadSourcesAsync(cancellationToken))
        {
            await File.WriteAllTextAsync(Path.Combine(folder, name), source, cancellationToken);
        }
    }

    private static async Task<List<(string Name, string Source)>> ReadSourcesAsync(CancellationToken cancellationToken)
    {
        var sources = new List<(string, string)>();
        var assembly = Assembly.GetExecutingAssembly();
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Resources, StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            sources.Add((name[Resources.Length..], await reader.ReadToEndAsync(cancellationToken)));
        }

        return sources;
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
        try
        {
            var errors = await process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            if (process.ExitCode != 0)
            {
                throw new MeasurementException($"go build failed with {process.ExitCode}: {errors.Trim()}");
            }
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
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
