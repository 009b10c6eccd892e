using System.Globalization;
using System.Runtime.InteropServices;
using Backchannel.Tests.Kit;
using Xunit;

namespace Backchannel.Tests.Samples;

[Collection(VotingCollection.Name)]
public class VotingShutdownTests
{
    private const int Interrupt = 2;
    private const int Terminate = 15;
    private const nint DefaultHandler = 0;

    [Theory]
    [InlineData(Interrupt)]
    [InlineData(Terminate)]
    public async Task A_signal_stops_the_server_though_clients_are_connected_and_idle(int signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "no signals there");
        if (IsInterruptIgnored())
        {
            // A shell made this a background job, which ignores Ctrl-C, and so would its children.
            Signal(Interrupt, DefaultHandler);
        }

        await using var server = await VotingProcess.StartServerAsync("127.0.0.1:0");
        await using var multiplexed = new RawVoter($"http://{server.Address}", _ => Task.CompletedTask);
        await using var plain = new RawVoter($"http://{server.Address}", _ => Task.CompletedTask, plain: true);
        await multiplexed.CallAsync("grpc.health.v1.Health", "Check", []);
        await plain.CallAsync("grpc.health.v1.Health", "Check", []);

        Assert.Equal(0, Kill(server.Id, signal));

        Assert.Equal(new VotingResult(0, "", ""), await server.EndAsync());
    }

    private static bool IsInterruptIgnored()
    {
        const string Ignored = "SigIgn:";
        var line = File.Exists("/proc/self/status") ? File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith(Ignored, StringComparison.Ordinal)) : null;
        return line is not null && (ulong.Parse(line.AsSpan(Ignored.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & (1UL << (Interrupt - 1))) != 0;
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);

    [DllImport("libc", EntryPoint = "signal")]
    private static extern nint Signal(int signal, nint handler);
}
