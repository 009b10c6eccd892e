using System.CommandLine;
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
        var listen = GrpcOptions.EndPoint("--listen", "Where to listen; port 0 takes a free one.");
        var command = new Command(Name, "Serves the calls of grpc-run, until Ctrl-C.") { layer, listen };
        command.Hidden = true;
        command.SetAction(async parsed =>
        {
            var endPoint = parsed.GetRequiredValue(listen);
            await using var app = GrpcServer.Create(parsed.GetRequiredValue(layer), endPoint);
            try
            {
                await app.StartAsync();
            }
            catch (IOException error)
            {
                throw new ExplainedException($"--listen {endPoint}: {error.GetBaseException().Message}. Choose another port, or 0.");
            }

            Console.WriteLine($"{Ready}{GrpcServer.GetEndPoint(app)}");
            await app.WaitForShutdownAsync();
            return 0;
        });
        return command;
    }
}
