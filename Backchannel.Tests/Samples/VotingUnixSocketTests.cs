using Xunit;

namespace Backchannel.Tests.Samples;

[Collection(VotingCollection.Name)]
public sealed class VotingUnixSocketTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("voting-");

    private string Listen => $"unix:{SocketPath}";

    private string SocketPath => Path.Combine(_folder.FullName, "socket");

    [Fact]
    public async Task A_client_votes_over_a_unix_socket_that_one_server_alone_can_have()
    {
        await using var server = await VotingProcess.StartServerAsync(Listen);

        var client = await VotingProcess.RunAsync("client", "--connect", Listen, "--votes", "5");
        var second = await VotingProcess.RunAsync("server", "--listen", Listen);

        Assert.Equal(Listen, server.Address);
        client.AssertVoted(5, "commit");
        second.AssertExplained($"{Listen} is in use by another server");
    }

    [Fact]
    public async Task A_file_that_is_there_already_is_left_alone()
    {
        await File.WriteAllTextAsync(SocketPath, "mine");

        var server = await VotingProcess.RunAsync("server", "--listen", Listen);
        var client = await VotingProcess.RunAsync("client", "--connect", Listen);

        server.AssertExplained($"{Listen} exists", $"rm {SocketPath}");
        client.AssertExplained($"no server answers at {Listen}");
        Assert.Equal("mine", await File.ReadAllTextAsync(SocketPath));
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
