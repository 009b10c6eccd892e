using System.Diagnostics;
using System.Reflection;

namespace Interop.Tests.Support;

/// <summary>The Go program that plays the far end, built once for all tests. Without the means to build it they are skipped (run with --fail-skips on to have them fail).</summary>
public sealed class GoPeerBinary : IAsyncLifetime
{
    // Where Debian's golang-*-dev packages put their sources.
    private const string DebianGoPath = "/usr/share/gocode";

    private static readonly string[] Tools = ["go", "protoc", "protoc-gen-go"];
    private static readonly string[] Libraries = ["github.com/hashicorp/yamux", "google.golang.org/grpc", "github.com/golang/protobuf"];

    private readonly string _goPath = Path.Combine(AppContext.BaseDirectory, "go-peer");
    private string? _missing;

    private string Executable => Path.Combine(_goPath, "peer");

    public async ValueTask InitializeAsync()
    {
        var missing = Tools.Where(tool => !SearchPath.Has(tool))
            .Concat(Libraries.Where(library => !Directory.Exists(Path.Combine(DebianGoPath, "src", library))))
            .ToList();
        if (missing.Count > 0)
        {
            _missing = $"No Go peer: {string.Join(", ", missing)} not found. On Debian: apt-get install golang-go protobuf-compiler "
                + "golang-goprotobuf-dev golang-github-hashicorp-yamux-dev golang-google-grpc-dev";
            return;
        }

        await BuildAsync();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Starts the program; the caller disposes of it.</summary>
    internal GoPeer Start(params string[] arguments)
    {
        Assert.SkipWhen(_missing is not null, _missing ?? "");
        return new GoPeer(Executable, arguments);
    }

    private static bool IsSource(string resource)
        => resource.EndsWith(".go", StringComparison.Ordinal) || resource.EndsWith(".proto", StringComparison.Ordinal);

    private async Task BuildAsync()
    {
        var sources = Path.Combine(_goPath, "src");
        if (Directory.Exists(sources))
        {
            Directory.Delete(sources, recursive: true);
        }

        // Import paths are folders below src: the program's own, and one for each package that protoc generates.
        var assembly = Assembly.GetExecutingAssembly();
        var protos = new List<string>();
        foreach (var name in assembly.GetManifestResourceNames().Where(IsSource))
        {
            var file = Path.Combine(sources, name);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await using var target = File.Create(file);
            await assembly.GetManifestResourceStream(name)!.CopyToAsync(target);
            if (name.EndsWith(".proto", StringComparison.Ordinal))
            {
                protos.Add(file);
            }
        }

        foreach (var proto in protos)
        {
            await RunAsync("protoc", sources, $"--proto_path={Path.GetDirectoryName(proto)}", $"--go_out=plugins=grpc:{sources}", proto);
        }

        await RunAsync("go", Path.Combine(sources, "peers", "go"), "build", "-o", Executable, ".");
    }

    private async Task RunAsync(string tool, string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo(tool, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment["GO111MODULE"] = "off";
        start.Environment["GOPATH"] = $"{_goPath}:{DebianGoPath}";
        start.Environment["GOFLAGS"] = "";
        start.Environment.TryAdd("GOCACHE", Path.Combine(_goPath, "cache"));

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{tool} failed with {process.ExitCode}:\n{await output}{await errors}");
        }
    }
}
