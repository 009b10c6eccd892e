using System.CommandLine;

namespace LogTail.CommandLine;

/// <summary>The command <c>agent</c>.</summary>
internal static class AgentCommand
{
    public static Command Create()
    {
        var connect = EndPointOption.Create("--connect", "Where the server is.");
        var name = new Option<string?>("--name") { Description = "What the server calls this agent. Default agent.", HelpName = "NAME" };
        var folder = new Option<DirectoryInfo?>("--folder") { Description = "The folder whose files the server may ask for. Default one with a log that is made up.", HelpName = "FOLDER" };
        var size = SizeOption.Create();
        var command = new Command("agent", "Connects to the server, gives it the file that it asks for, and ends when the server has it.") { connect, name, folder, size };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var given = parsed.GetValue(folder);
            if (given is { Exists: false })
            {
                throw new ExplainedException($"--folder {given}: there is no such folder.");
            }

            using var log = given is null ? await DemoLog.CreateAsync(SizeOption.Bytes(parsed.GetValue(size)), cancellationToken) : null;
            await using var agent = new LogAgent(parsed.GetRequiredValue(connect), log?.Folder ?? given!.FullName);
            var bytes = await agent.RunAsync(parsed.GetValue(name) ?? "agent", cancellationToken);
            Console.WriteLine($"ok: the server has {bytes:N0} bytes");
            return 0;
        });
        return command;
    }
}
