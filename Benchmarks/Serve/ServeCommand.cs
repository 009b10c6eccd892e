using System.CommandLine;
using System.Net;
using Benchmarks.CommandLine;

namespace Benchmarks.Serve;

/// <summary>The command <c>serve</c>.</summary>
internal static class ServeCommand
{
    /// <summary>Makes the server end with its standard input, hence with whoever started it.</summary>
    public const string WhileInputOption = "--while-input";

    public static Command Create()
    {
        var wire = new WireOptions();
        var listen = EndPointOption.Create("--listen", "Where to listen. With port 0 the system picks one.", lowestPort: IPEndPoint.MinPort);
        listen.Required = true;
        var whileInput = new Option<bool>(WhileInputOption) { Hidden = true };
        var command = new Command("serve", "Plays the server's end of a measurement, for clients of any implementation. Ends when it is told to (Ctrl-C, SIGTERM).");
        wire.AddTo(command);
        command.Add(listen);
        command.Add(whileInput);
        command.SetAction(async parsed =>
        {
            using var interruption = new Interruption();
            using var server = new Server(wire.Implementation(parsed), wire.Settings(parsed));
            Console.WriteLine($"listening on {server.Listen(parsed.GetRequiredValue(listen))}");
            var serving = server.RunAsync(interruption.Token);
            await await (parsed.GetValue(whileInput) ? Task.WhenAny(serving, StandardInput.EndAsync()) : Task.WhenAny(serving));
            return ExitCode.Success;
        });
        return command;
    }
}
