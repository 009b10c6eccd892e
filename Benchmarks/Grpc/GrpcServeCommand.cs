using System.CommandLine;
using System.Net;
using Benchmarks.CommandLine;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;

namespace Benchmarks.Grpc;

/// <summary>The command <c>grpc-serve</c>: the server's process.</summary>
internal static class GrpcServeCommand
{
    public const string Name = "grpc-serve";
    public const string Ready = "listening on ";

    public static Command Create()
    {
        var layer = GrpcOptions.Layer();
        var listen = EndPointOption.Create("--listen", "Where to listen. With port 0 the system picks one.", IPEndPoint.MinPort);
        listen.Required = true;
        var follow = GrpcOptions.Follow("Ends with the standard input.");
        var command = new Command(Name, "Serves the calls of grpc-run, until Ctrl-C.") { layer, listen, follow };
        command.Hidden = true;
        command.SetAction(async parsed =>
        {
            var endPoint = parsed.GetRequiredValue(listen);
            await using var app = GrpcServer.Create(GrpcOptions.Parse(parsed.GetRequiredValue(layer)), endPoint);
            try
            {
                await app.StartAsync();
            }
            catch (IOException error)
            {
                throw new ExplainedException($"--listen {endPoint}: {error.GetBaseException().Message}.");
            }

            Console.WriteLine($"{Ready}{GrpcServer.GetEndPoint(app)}");
            await Task.WhenAny(app.WaitForShutdownAsync(), parsed.GetValue(follow) ? StandardInput.EndAsync() : Task.Delay(Timeout.Infinite));
            return ExitCode.Success;
        });
        return command;
    }
}
