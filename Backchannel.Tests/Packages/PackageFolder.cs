using System.Diagnostics;
using System.IO.Compression;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Backchannel.Tests.Benchmarks;
using Xunit;

namespace Backchannel.Tests.Packages;

/// <summary>The packages of this repository, and a folder that knows nothing else of it, with the two programs of the templates.</summary>
public sealed partial class PackageFolder : IAsyncLifetime
{
    /// <summary>Nobody has published it, so that it is from here.</summary>
    public const string Version = "0.1.0-test";

    // A build is slow on a machine that has other things to do.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    private readonly TemporaryFolder _folder = new();

    public string Root { get; } = Path.GetFullPath(Path.Combine(Folder(), "..", ".."));

    public IEnumerable<string> Files => Directory.EnumerateFiles(_folder["nupkg"]).Select(file => Path.GetFileName(file)!);

    public string this[string name] => _folder[name];

    public async ValueTask InitializeAsync()
    {
        var configuration = typeof(PackageFolder).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;
        await DotnetAsync($"pack {Root}/Backchannel.sln --no-build -c {configuration} -o {_folder["nupkg"]} -p:MinVerVersionOverride={Version}");
        await File.WriteAllTextAsync(_folder["nuget.config"], await SettingsAsync());
        var hive = $"--debug:custom-hive {_folder["hive"]}";
        await DotnetAsync($"new install {_folder["nupkg"]}/Backchannel.Templates.{Version}.nupkg {hive}");
        await DotnetAsync($"new backchannel-server -o Server --no-restore {hive}");
        await DotnetAsync($"new backchannel-agent -o Agent --no-restore {hive}");
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return default;
    }

    /// <summary>The description that a package has of itself.</summary>
    public XElement Nuspec(string package)
    {
        using var archive = ZipFile.OpenRead(Path.Combine(_folder["nupkg"], $"{package}.{Version}.nupkg"));
        using var nuspec = archive.GetEntry($"{package}.nuspec")!.Open();
        return XElement.Load(nuspec).Elements().Single();
    }

    /// <summary>A file of a package.</summary>
    public string Read(string package, string path)
    {
        using var archive = ZipFile.OpenRead(Path.Combine(_folder["nupkg"], $"{package}.{Version}.nupkg"));
        using var reader = new StreamReader(archive.GetEntry(path)!.Open());
        return reader.ReadToEnd();
    }

    /// <summary>Runs a command of the SDK in the folder, which must succeed.</summary>
    public async Task<string> DotnetAsync(string arguments)
    {
        using var process = Start(_folder.Path, Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", arguments.Split(' '));
        try
        {
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync().WaitAsync(Patience, TestContext.Current.CancellationToken);
            Assert.True(process.ExitCode == 0, $"dotnet {arguments}\n{await output}\n{await errors}");
            return await output;
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    internal static Process Start(string folder, string program, string[] arguments, params (string Variable, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";

        // Nodes of the build would live on, and hold its output open.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        foreach (var (variable, value) in environment)
        {
            start.Environment[variable] = value;
        }

        return Process.Start(start)!;
    }

    /// <summary>Our packages come from the folder, and all others from the sources that this machine knows, or from what it has of them already.</summary>
    private async Task<string> SettingsAsync()
    {
        var cache = (await DotnetAsync("nuget locals global-packages --list")).Split(": ", 2)[1].Trim();
        var sources = EnabledSource().Matches(await DotnetAsync("nuget list source")).Select(match => match.Groups[1].Value);
        return new XElement(
            "configuration",
            new XElement("config", Add("globalPackagesFolder", _folder["packages"])),
            new XElement("fallbackPackageFolders", Add("machine", cache)),
            new XElement("packageSources", Add("backchannel-test", _folder["nupkg"])),
            new XElement(
                "packageSourceMapping",
                sources.Select(name => Map(name, "*")).Append(Map("backchannel-test", "Backchannel*")))).ToString();

        static XElement Add(string key, string value) => new("add", new XAttribute("key", key), new XAttribute("value", value));

        static XElement Map(string source, string pattern)
            => new("packageSource", new XAttribute("key", source), new XElement("package", new XAttribute("pattern", pattern)));
    }

    private static string Folder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;

    [GeneratedRegex(@"^ *\d+\. +(.+) \[\w+\]\r?$", RegexOptions.Multiline)]
    private static partial Regex EnabledSource();
}
