using System.CommandLine;
using System.Net;
using Benchmarks.CommandLine;

namespace Benchmarks.Shaping;

/// <summary>The command <c>link</c>.</summary>
internal static class LinkCommand
{
    private const double LongestDelay = 10_000;

    public static Command Create()
    {
        var connect = EndPointOption.Create("--connect", "Where the server listens.", lowestPort: 1);
        connect.Required = true;
        var delay = NumberOption.Fractional("--delay", "How many milliseconds a byte is under way, in either direction. Default 50;", 0, LongestDelay, 50);
        var rate = NumberOption.Fractional("--rate", "How many megabits the link carries in a second, in either direction. Default 1000;", 1, 100_000, 1000);
        var command = new Command("link", "Puts a link with the rate and the delay of a network in front of a server. Ends when it is told to (Ctrl-C, SIGTERM).")
        {
            connect, delay, rate,
        };
        command.SetAction(async parsed =>
        {
            const double BytesPerMegabit = 125_000;
            using var interruption = new Interruption();
            var shape = new LinkShape((long)(parsed.GetValue(rate) * BytesPerMegabit), TimeSpan.FromMilliseconds(parsed.GetValue(delay)));
            using var link = new ShapedLink(parsed.GetRequiredValue(connect), shape);
            Console.WriteLine($"listening on {link.Address}");
            await Task.Delay(Timeout.Infinite, interruption.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return ExitCode.Success;
        });
        return command;
    }
}
