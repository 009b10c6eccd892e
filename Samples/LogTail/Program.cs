using System.CommandLine;
using System.CommandLine.Invocation;
using Grpc.Core;
using LogTail;
using LogTail.CommandLine;

// Without a command: both ends in this process. Every error that has a known reason is one line.
var root = DemoCommand.Create();
root.Add(ServerCommand.Create());
root.Add(AgentCommand.Create());

var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
try
{
    if (parsed.Action is ParseErrorAction)
    {
        var command = parsed.CommandResult.Command;
        throw new ExplainedException($"{parsed.Errors[0].Message} See {(command == root ? "" : $"{command.Name} ")}--help.");
    }

    // The host of the server sees to Ctrl-C too, and takes up to two seconds.
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromSeconds(5) });
}
catch (ExplainedException error)
{
    await Console.Error.WriteLineAsync($"error: {error.Message}");
    return 2;
}
catch (OperationCanceledException)
{
    await Console.Error.WriteLineAsync("stopped");
    return 130;
}
catch (Exception error) when (error is RpcException or IOException)
{
    await Console.Error.WriteLineAsync($"failed: {(error is RpcException call ? $"{call.StatusCode}: {PrintableText.Of(call.Status.Detail)}" : error.Message)}");
    return 1;
}
