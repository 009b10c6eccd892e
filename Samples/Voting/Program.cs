using System.CommandLine;
using System.CommandLine.Invocation;
using Voting;
using Voting.CommandLine;
using Voting.Demo;

// Without a command: the demo. Every error that has a known reason is one line, and exit code 2.
var root = new RootCommand("A gRPC server that calls its clients back over their own connections. Without a command: a server and two clients in one process.")
{
    ServerCommand.Create(),
    ClientCommand.Create(),
};
root.SetAction(_ => new VotingDemo().RunAsync());

var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
try
{
    if (parsed.Action is ParseErrorAction)
    {
        var command = parsed.CommandResult.Command;
        throw new ExplainedException($"{parsed.Errors[0].Message} See {(command == root ? "" : $"{command.Name} ")}--help.");
    }

    // The host of the server sees to Ctrl-C itself.
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
}
catch (ExplainedException error)
{
    await Console.Error.WriteLineAsync($"error: {error.Message}");
    return 2;
}
