using System.CommandLine;
using System.CommandLine.Invocation;
using Benchmarks.Agents;
using Benchmarks.CommandLine;
using Benchmarks.Compare;
using Benchmarks.Frames;
using Benchmarks.Grpc;
using Benchmarks.Micro;
using Benchmarks.Plots;
using Benchmarks.Profile;
using Benchmarks.Run;
using Benchmarks.Scale;
using Benchmarks.Serve;
using Benchmarks.Shaping;
using Benchmarks.Soak;

// Exit codes: 0 all was well, 1 something was found, 2 the command line was wrong, 130 it was interrupted.
var root = new RootCommand("Measures the yamux engine, and wears it.")
{
    CompareCommand.Create(ComparisonCharts.Draw),
    ServeCommand.Create(),
    RunCommand.Create(),
    LinkCommand.Create(),
    SoakCommand.Create(),
    MicroCommand.Create(),
    FramesCommand.Create(),
    PlotCommand.Create(),
    ScaleCommand.Create(),
    ScaleRunCommand.Create(),
    ProfileCommand.Create(),
    AgentsCommand.Create(),
    AgentsServeCommand.Create(),
    AgentsRunCommand.Create(),
    GrpcCommand.Create(),
    GrpcServeCommand.Create(),
    GrpcRunCommand.Create(),
};
root.SetAction(RequireCommand);

var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
try
{
    if (parsed.Action is ParseErrorAction)
    {
        var command = parsed.CommandResult.Command;
        throw new ExplainedException($"{parsed.Errors[0].Message} See {(command == root ? "" : $"{command.Name} ")}--help.");
    }

    // The commands see to Ctrl-C themselves.
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
}
catch (ExplainedException error)
{
    await Console.Error.WriteLineAsync($"error: {error.Message}");
    return 2;
}

int RequireCommand(ParseResult _)
    => throw new ExplainedException($"A command is required: {string.Join(", ", root.Subcommands.Where(command => !command.Hidden).Select(command => command.Name))}. See --help.");
