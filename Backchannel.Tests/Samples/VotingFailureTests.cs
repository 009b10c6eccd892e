using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Backchannel.Tests.Samples;

[Collection(VotingCollection.Name)]
public class VotingFailureTests
{
    [Fact]
    public async Task An_address_in_use_is_explained()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();

        var result = await VotingProcess.RunAsync("server", "--listen", $"{other.LocalEndpoint}");

        result.AssertExplained($"{other.LocalEndpoint} is in use", "choose another port");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_server_that_is_not_there_is_explained(bool plain)
    {
        // Bound and not listening: nobody else can take the port meanwhile.
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var address = $"{socket.LocalEndPoint}";

        var result = await VotingProcess.RunAsync(["client", "--connect", address, .. plain ? ["--plain"] : Array.Empty<string>()]);

        result.AssertExplained($"no server answers at {address}", $"server --listen {address}");
    }

    [Fact]
    public async Task Votes_that_lose_their_server_count_as_unavailable()
    {
        await using var server = await VanishingServer.StartAsync(answers: 3, concurrency: 2);

        var result = await VotingProcess.RunAsync("client", "--connect", server.Address, "--votes", "10", "--concurrency", "2");

        result.AssertFailed(
            "7 of 10 votes did not come back as commit",
            "       7  error:Unavailable:the connection to the server was lost",
            "       3  commit",
            "calls served: 0");
    }
}
