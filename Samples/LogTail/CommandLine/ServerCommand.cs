using System.CommandLine;
using Microsoft.Extensions.Hosting;

namespace LogTail.CommandLine;

/// <summary>The command <c>server</c>.</summary>
internal static class ServerCommand
{
    public static Command Create()
    {
        var listen = EndPointOption.Create("--listen", "Where to listen. Port 0 takes a free one.");
        var file = new Option<string>("--file")
        {
            Description = $"The file to ask each agent for. Default {DemoLog.FileName}.",
            HelpName = "NAME",
            DefaultValueFactory = _ => DemoLog.FileName,
        };
        var command = new Command("server", "Asks each agent that attaches for its file, and prints ok when it has it; until Ctrl-C.") { listen, file };
        command.SetAction(async parsed =>
        {
            await using var server = await LogServer.StartAsync(parsed.GetRequiredValue(listen), parsed.GetRequiredValue(file));
            Console.WriteLine($"listening on {LogServer.GetEndPoint(server)}");
            await server.WaitForShutdownAsync();
            return 0;
        });
        return command;
    }
}
