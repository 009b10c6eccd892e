using System.CommandLine;
using Microsoft.Extensions.Hosting;

namespace LogTail.CommandLine;

/// <summary>The command <c>server</c>.</summary>
internal static class ServerCommand
{
    public static Command Create()
    {
        var listen = EndPointOption.Create("--listen", "Where to listen. Port 0 takes a free one.");
        var file = new Option<string?>("--file")
        {
            Description = $"The file to ask each agent for: a name without a folder. Default {DemoLog.FileName}.",
            HelpName = "NAME",
        };
        file.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var name }] && !FileService.IsName(name))
            {
                result.AddError($"--file {name}: must be a name without a folder.");
            }
        });
        var command = new Command("server", "Asks each agent that attaches for its file, and prints ok when it has it; until Ctrl-C.") { listen, file };
        command.SetAction(async parsed =>
        {
            await using var server = await LogServer.StartAsync(parsed.GetRequiredValue(listen), parsed.GetValue(file) ?? DemoLog.FileName);
            Console.WriteLine($"listening on {LogServer.GetEndPoint(server)}");
            await server.WaitForShutdownAsync();
            return 0;
        });
        return command;
    }
}
