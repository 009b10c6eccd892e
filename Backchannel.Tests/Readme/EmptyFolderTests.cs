using System.Diagnostics;
using Backchannel.Tests.Kit;
using Backchannel.Tests.Samples;
using Xunit;

namespace Backchannel.Tests.Readme;

/// <summary>docs/getting-started.md from an empty folder, word by word: its commands, its files, its programs.</summary>
[Collection(BuildsCollection.Name)]
[Trait("Category", "Long")]
public sealed class EmptyFolderTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("readme-");
    private readonly PemFolder _files = new();
    private readonly string _root = Path.GetDirectoryName(Path.GetDirectoryName(ReadmeTests.Folder()))!;

    public void Dispose()
    {
        _files.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task The_two_programs_run()
    {
        foreach (var command in Commands("dotnet new web ", "dotnet new console ", "dotnet add "))
        {
            // Restoring is for the build, which takes what the tests were built with, and no more.
            await RunAsync(command.Contains(" package ", StringComparison.Ordinal) ? $"{command} --no-restore" : command);
        }

        Write("device.proto", Block("**device.proto**"));
        await BuildAsync("Server", port: 0);

        const string RunAgent = "dotnet run --project Agent -- --Backchannel:Agent:Name device-1";
        Assert.Equal(["dotnet run --project Server", RunAgent], Commands("dotnet run --project Server", "dotnet run --project Agent"));
        using var server = Start("dotnet run --no-build --project Server");
        try
        {
            var port = await PortAsync(server);
            await BuildAsync("Agent", port);
            using var agent = Start(RunAgent.Replace("dotnet run", "dotnet run --no-build", StringComparison.Ordinal));
            try
            {
                while (await agent.StandardOutput.ReadLineAsync().Guarded() is { } line && line != "The server knows this device as device-1.")
                {
                    Assert.DoesNotContain("fail:", line, StringComparison.Ordinal);
                }

                Assert.Equal("{\"restarts\":1}", await RestartAsync(port));
            }
            finally
            {
                agent.Kill(entireProcessTree: true);
            }
        }
        finally
        {
            server.Kill(entireProcessTree: true);
        }
    }

    /// <summary>What the page calls with curl.</summary>
    private async Task<string> RestartAsync(int port)
    {
        var path = Assert.Single(Commands("curl -k ")).Split("https://localhost:5001")[1];
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = _files.Trust();
        using var http = new HttpClient(handler);
        using var answer = await http.PostAsync(new Uri($"https://127.0.0.1:{port}{path}"), content: null).Guarded();
        return await answer.Content.ReadAsStringAsync().Guarded();
    }

    /// <summary>Where a server listens, which says so before it has started.</summary>
    private static async Task<int> PortAsync(Process server)
    {
        const string Listening = "Now listening on: ";
        int? port = null;
        while (await server.StandardOutput.ReadLineAsync().Guarded() is { } line && !line.Contains("Application started", StringComparison.Ordinal))
        {
            if (line.IndexOf(Listening, StringComparison.Ordinal) is >= 0 and var at)
            {
                port = new Uri(line[(at + Listening.Length)..]).Port;
            }
        }

        Assert.NotNull(port);
        return port.Value;
    }

    /// <summary>Writes and builds one of the programs, for a port that is free: the page's may be another's here.</summary>
    private async Task BuildAsync(string project, int port)
    {
        var program = $"{project}/Program.cs";
        Write(program, Block($"**{program}**").Replace("ListenLocalhost(5001", $"Listen(System.Net.IPAddress.Loopback, {port}", StringComparison.Ordinal)
            .Replace("localhost:5001", $"127.0.0.1:{port}", StringComparison.Ordinal)); // The certificate has the address, not the name.
        var path = Path.Combine(_folder.FullName, project, $"{project}.csproj");
        var text = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            path, text.Replace("</Project>", $"{Block("In **both** project files")}\n</Project>", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        await RunAsync($"dotnet build {project} -warnaserror");
    }

    private string[] Lines() => File.ReadAllLines(Path.Combine(_root, "docs", "getting-started.md"));

    /// <summary>The commands of the page with one of these beginnings, without their remarks.</summary>
    private IEnumerable<string> Commands(params string[] beginnings) => Lines()
        .Where(line => line.StartsWith("    ", StringComparison.Ordinal) && beginnings.Any(line.TrimStart().StartsWith))
        .Select(line => line.Split('#')[0].Trim().Replace(" backchannel/", $" {_root}/", StringComparison.Ordinal));

    /// <summary>The block below the line with this beginning.</summary>
    private string Block(string beginning)
    {
        var line = Array.FindIndex(Lines(), line => line.StartsWith(beginning, StringComparison.Ordinal));
        Assert.True(line >= 0, $"docs/getting-started.md has no line that begins with {beginning}");
        return string.Join('\n', CodeBlock.ReadAll(Path.Combine(_root, "docs", "getting-started.md")).First(block => block.Line > line).Lines);
    }

    private void Write(string path, string text) => File.WriteAllText(Path.Combine(_folder.FullName, path), text);

    private async Task<string> RunAsync(string command)
    {
        using var process = Start(command);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"{command}\n{await output}\n{await errors}");
        return await output;
    }

    private Process Start(string command)
    {
        var words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("dotnet", words[0]);
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", words[1..])
        {
            WorkingDirectory = _folder.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["SSL_CERT_FILE"] = _files["ca.pem"];
        start.Environment["Kestrel__Certificates__Default__Path"] = _files["server.pem"];
        start.Environment["Kestrel__Certificates__Default__KeyPath"] = _files["server.key"];
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        return Process.Start(start)!;
    }
}
