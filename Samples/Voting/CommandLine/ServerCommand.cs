using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using Voting.Tls;

namespace Voting.CommandLine;

/// <summary>The command <c>server</c>.</summary>
internal static class ServerCommand
{
    public static Command Create()
    {
        var listen = ParsedOption.Create("--listen", "ADDRESS", "Where to listen: IP:PORT (port 0 takes a free one) or unix:PATH.", Address.Parse);
        listen.Required = true;
        var tls = ParsedOption.CertificateAndKey("--tls", "Speaks TLS with this certificate (PEM, with its intermediates) and key.");
        var clientCa = new Option<string>("--client-ca")
        {
            Description = "Takes only clients whose certificate is signed by one of these authorities (PEM). Needs --tls.",
            HelpName = "CA",
        };

        var command = new Command("server", "Forwards each vote to the client that it came from, until Ctrl-C. Also serves grpc.health.v1.") { listen, tls, clientCa };
        command.SetAction(parsed => RunAsync(
            parsed.GetRequiredValue(listen), ServerTls.Load(parsed.GetValue(tls), parsed.GetValue(clientCa))));
        return command;
    }

    private static async Task<int> RunAsync(Address address, ServerTls? tls)
    {
        if (address.EndPoint is DnsEndPoint)
        {
            throw new ExplainedException($"--listen {address}: a server listens on an IP address, such as 127.0.0.1:7000, or on unix:PATH.");
        }

        await using var app = VoteServer.Create(address, tls);
        try
        {
            await app.StartAsync();
        }
        catch (Exception error) when (error is IOException or SocketException)
        {
            throw new ExplainedException(await ListenFailure.ExplainAsync(address, error));
        }

        Console.WriteLine($"listening on {VoteServer.GetAddress(app, address)}");
        await app.WaitForShutdownAsync();
        return 0;
    }
}
