using System.Net;
using Backchannel;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Voting.Demo;

/// <summary>A server, a multiplexed client and a plain one in one process, with a transcript of who calls whom.</summary>
internal sealed class VotingDemo
{
    private int _connections;

    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync()
    {
        var anyPort = new Address(new IPEndPoint(IPAddress.Loopback, 0));
        await using var server = VoteServer.Create(anyPort, configure: Record);
        try
        {
            await server.StartAsync();
            await PlayAsync(VoteServer.GetAddress(server, anyPort));
            await server.StopAsync();
        }
        catch (Exception error) when (error is DemoFailedException or RpcException or IOException)
        {
            await Console.Error.WriteLineAsync($"failed: {error.Message}");
            return 1;
        }

        Console.WriteLine("ok: the server called a client over the connection that the client had made");
        return 0;
    }

    private async Task PlayAsync(Address address)
    {
        Console.WriteLine($"The server listens on {address}. Its clients listen on nothing.");
        Console.WriteLine();
        Console.WriteLine("The voter has a backchannel:");
        await using var voter = new VoteClient("voter", address, Answer.Commit, transcript: new Transcript("voter"));
        for (var transaction = 1; transaction <= 2; transaction++)
        {
            var answer = Answer.Of((await voter.VoteAsync(transaction)).State);
            Expect(answer == Answer.Commit, $"the voter answered {Answer.Commit} and got {answer} back");
        }

        Expect(voter.Served == 2, $"the voter was called {voter.Served} times for 2 votes");
        PrintConnections(1);

        Console.WriteLine();
        Console.WriteLine("A plain client uses the same port:");
        await using var plain = new VoteClient("plain", address, Answer.Commit, plain: true, transcript: new Transcript("plain"));
        var refusal = await RefusalAsync(plain);
        Expect(
            refusal is { StatusCode: StatusCode.FailedPrecondition, Detail: "non-multiplexed connection" },
            $"the plain client was refused with {refusal}");
        PrintConnections(2);
        Console.WriteLine();
    }

    private static async Task<Status> RefusalAsync(VoteClient client)
    {
        try
        {
            await client.VoteAsync(3);
            return Status.DefaultSuccess;
        }
        catch (RpcException error)
        {
            return error.Status;
        }
    }

    // The server is the one that the command runs, with its calls and answers printed and its connections counted.
    private void Record(WebApplicationBuilder builder)
    {
        var transcript = new Transcript(Transcript.Server);
        builder.Services.Configure<GrpcServiceOptions>(transcript.Record);
        builder.Services.Configure<BackchannelServerOptions>(options => options.Interceptors.Add(transcript));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(listen => listen.Use((connection, next) =>
        {
            Interlocked.Increment(ref _connections);
            return next();
        })));
    }

    private void PrintConnections(int expected)
    {
        var connections = Volatile.Read(ref _connections);
        Console.WriteLine($"TCP connections that the server has accepted so far: {connections}");
        Expect(connections == expected, $"it took {connections} connections instead of {expected}");
    }

    private static void Expect(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new DemoFailedException(otherwise);
        }
    }
}
