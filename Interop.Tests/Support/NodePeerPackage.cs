using System.Diagnostics;
using System.Reflection;

namespace Interop.Tests.Support;

/// <summary>The JavaScript programs that play the far end, installed once for all tests. Where that is not possible they are skipped (run with --fail-skips on to have them fail).</summary>
public sealed class NodePeerPackage
{
    private const string Resources = "peers/js/";
    private const string Lock = "package-lock.json";

    private static readonly string[] Tools = ["node", "npm"];

    private readonly string _folder = Path.Combine(AppContext.BaseDirectory, "node-peer");
    private readonly Lazy<Task<string?>> _missing;

    public NodePeerPackage() => _missing = new(InstallAsync);

    /// <summary>Starts the target of the conformance tool; the caller disposes of it. The first call installs what it needs.</summary>
    internal Task<NodePeer> StartTargetAsync(params string[] arguments) => StartAsync("conformance.js", arguments);

    /// <summary>Starts the far end of one session, which plays a scenario; the caller disposes of it.</summary>
    internal Task<NodePeer> StartPeerAsync(params string[] arguments) => StartAsync("peer.js", arguments);

    private async Task<NodePeer> StartAsync(string script, string[] arguments)
    {
        var missing = await _missing.Value;
        Assert.SkipWhen(missing is not null, missing ?? "");
        return new NodePeer(Path.Combine(_folder, script), arguments);
    }

    // Returns what is missing. Not a failure of the assembly: npm needs its registry, which may be out of reach.
    private async Task<string?> InstallAsync()
    {
        if (Tools.Where(tool => !SearchPath.Has(tool)).ToList() is { Count: > 0 } missing)
        {
            return $"No Node peer: {string.Join(", ", missing)} not found. On Debian: apt-get install nodejs npm";
        }

        var lockFile = Path.Combine(_folder, Lock);
        var installed = Path.Combine(_folder, "installed-" + Lock);
        await CopySourcesAsync();
        if (File.Exists(installed) && await File.ReadAllTextAsync(installed) == await File.ReadAllTextAsync(lockFile))
        {
            return null;
        }

        File.Delete(installed);
        if (await RunNpmAsync() is { } failure)
        {
            return $"No Node peer: npm ci failed.\n{failure}";
        }

        File.Copy(lockFile, installed);
        return null;
    }

    private async Task CopySourcesAsync()
    {
        Directory.CreateDirectory(_folder);
        var assembly = Assembly.GetExecutingAssembly();
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Resources, StringComparison.Ordinal)))
        {
            await using var target = File.Create(Path.Combine(_folder, name[Resources.Length..]));
            await assembly.GetManifestResourceStream(name)!.CopyToAsync(target);
        }
    }

    private async Task<string?> RunNpmAsync()
    {
        using var process = Process.Start(new ProcessStartInfo("npm", ["ci"])
        {
            WorkingDirectory = _folder,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? null : await output + await errors;
    }
}
