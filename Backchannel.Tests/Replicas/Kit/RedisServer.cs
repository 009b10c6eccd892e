using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Backchannel.Tests.Kit;
using Xunit;

namespace Backchannel.Tests.Replicas.Kit;

/// <summary>A Redis, Debian's, on a free port of loopback, with nothing on disk. It can be killed and started again, frozen and emptied.</summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private const string Program = "redis-server";
    private const int Continue = 18;
    private const int Stop = 19;

    private readonly string[] _arguments;
    private Process? _process;

    private RedisServer(int port, string[] arguments)
    {
        Port = port;
        _arguments = arguments;
    }

    public int Port { get; }

    /// <summary>As StackExchange.Redis has it.</summary>
    public string Configuration => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>Starts one; skips the test where there is none to start.</summary>
    public static async Task<RedisServer> StartAsync(params string[] arguments)
    {
        Assert.SkipUnless(
            (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, Program))),
            $"{Program} is not installed (Debian: apt-get install redis-server)");
        var server = new RedisServer(FreePorts.Next(), arguments);
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>Starts it, empty, where it was.</summary>
    public async Task StartAgainAsync()
    {
        var start = new ProcessStartInfo(
            Program, ["--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", Path.GetTempPath(), .. _arguments])
        {
            RedirectStandardOutput = true,
        };
        _process = Process.Start(start)!;
        while (await _process.StandardOutput.ReadLineAsync().Guarded() is { } line)
        {
            if (line.Contains("Ready to accept connections", StringComparison.Ordinal))
            {
                _ = _process.StandardOutput.ReadToEndAsync(); // Or it stands still when the pipe is full.
                return;
            }
        }

        Assert.Fail($"{Program} has ended");
    }

    /// <summary>As kill -9 does.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync().Guarded();
        _process.Dispose();
        _process = null;
    }

    /// <summary>It answers nothing, and its connections stay.</summary>
    public void Freeze() => Assert.Equal(0, Kill(_process!.Id, Stop));

    public void Thaw() => Assert.Equal(0, Kill(_process!.Id, Continue));

    /// <summary>Sends one command, as redis-cli does, and waits for its answer.</summary>
    public async Task<string> CommandAsync(params string[] command)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Port).Guarded();
        var stream = client.GetStream();
        var request = string.Create(CultureInfo.InvariantCulture, $"*{command.Length}\r\n") + string.Concat(command.Select(word => string.Create(CultureInfo.InvariantCulture, $"${word.Length}\r\n{word}\r\n")));
        await stream.WriteAsync(System.Text.Encoding.Latin1.GetBytes(request));
        var buffer = new byte[64 * 1024];
        var count = await stream.ReadAsync(buffer).AsTask().Guarded();
        return System.Text.Encoding.Latin1.GetString(buffer, 0, count);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await KillAsync();
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);
}
