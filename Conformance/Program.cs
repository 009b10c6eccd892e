using System.CommandLine;
using System.CommandLine.Invocation;
using Conformance.CommandLine;
using Conformance.Running;

// Every error that has a known reason is one line on standard error, and exit code 2.
var root = new RootCommand("Tests implementations of yamux, whatever language they are written in, over TCP.")
{
    ListCommand.Create(),
    RunCommand.Create(),
    EchoCommand.Create(),
};
var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
try
{
    if (parsed.Action is ParseErrorAction)
    {
        var command = parsed.CommandResult.Command;
        throw new UsageException($"{parsed.Errors[0].Message} See {(command == root ? "" : $"{command.Name} ")}--help.");
    }

    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (Exception error) when (error is UsageException or TargetUnreachableException)
{
    await Console.Error.WriteLineAsync($"error: {error.Message}");
    return 2;
}
catch (OperationCanceledException)
{
    await Console.Error.WriteLineAsync("stopped");
    return 2;
}
