using Xunit;

namespace Backchannel.Tests.Samples;

[Collection(VotingCollection.Name)]
public class VotingTlsTests(PemFolder pem) : IClassFixture<PemFolder>
{
    [Fact]
    public async Task A_client_votes_over_TLS_if_it_trusts_the_server()
    {
        await using var server = await VotingProcess.StartServerAsync("127.0.0.1:0", "--tls", pem["server.pem"], pem["server.key"]);

        var trusting = await VotingProcess.RunAsync("client", "--connect", server.Address, "--votes", "5", "--tls-ca", pem["ca.pem"]);
        var plain = await VotingProcess.RunAsync("client", "--connect", server.Address, "--votes", "1", "--tls-ca", pem["ca.pem"], "--plain");
        var distrusting = await VotingProcess.RunAsync("client", "--connect", server.Address, "--tls-ca", pem["other-ca.pem"]);
        var cleartext = await VotingProcess.RunAsync("client", "--connect", server.Address);

        trusting.AssertVoted(5, "commit");
        plain.AssertFailed(
            "1 of 1 votes did not come back as commit", "       1  error:FailedPrecondition:non-multiplexed connection", "calls served: 0");
        distrusting.AssertExplained($"TLS with {server.Address} failed", "certificate", "--tls-ca");
        cleartext.AssertExplained($"{server.Address} closed the connection", "--tls-ca");
    }

    [Fact]
    public async Task A_server_with_another_name_is_not_trusted()
    {
        await using var server = await VotingProcess.StartServerAsync("127.0.0.1:0", "--tls", pem["elsewhere.pem"], pem["elsewhere.key"]);

        var result = await VotingProcess.RunAsync("client", "--connect", server.Address, "--tls-ca", pem["ca.pem"]);

        result.AssertExplained($"TLS with {server.Address} failed", "RemoteCertificateNameMismatch", "--connect");
    }

    [Fact]
    public async Task A_server_with_mutual_TLS_takes_only_clients_that_it_knows()
    {
        await using var server = await VotingProcess.StartServerAsync(
            "127.0.0.1:0", "--tls", pem["server.pem"], pem["server.key"], "--client-ca", pem["ca.pem"]);

        Task<VotingResult> RunAsync(params string[] certificate)
            => VotingProcess.RunAsync(["client", "--connect", server.Address, "--votes", "5", "--tls-ca", pem["ca.pem"], .. certificate]);
        var known = await RunAsync("--cert", pem["client.pem"], pem["client.key"]);
        var unknown = await RunAsync("--cert", pem["stranger.pem"], pem["stranger.key"]);
        var anonymous = await RunAsync();
        var plain = await RunAsync("--plain");

        known.AssertVoted(5, "commit");
        unknown.AssertExplained(server.Address, "--cert");
        anonymous.AssertExplained(server.Address, "--cert");
        plain.AssertExplained(server.Address, "--cert");
    }

    [Fact]
    public async Task A_server_without_TLS_is_told_from_one_with_it()
    {
        await using var server = await VotingProcess.StartServerAsync("127.0.0.1:0");

        var result = await VotingProcess.RunAsync("client", "--connect", server.Address, "--tls-ca", pem["ca.pem"]);

        result.AssertExplained($"TLS with {server.Address} failed", "Check that the server speaks TLS");
    }

    [Fact]
    public async Task Files_that_are_no_certificate_or_not_its_key_are_named()
    {
        var noCertificate = await VotingProcess.RunAsync("server", "--listen", "127.0.0.1:0", "--tls", pem["server.key"], pem["server.key"]);
        var foreignKey = await VotingProcess.RunAsync("server", "--listen", "127.0.0.1:0", "--tls", pem["server.pem"], pem["client.key"]);
        var missing = await VotingProcess.RunAsync("client", "--connect", "127.0.0.1:1", "--tls-ca", pem["ca.pem"], "--cert", pem["no.pem"], pem["no.key"]);

        noCertificate.AssertExplained("--tls", pem["server.key"], "no certificate");
        foreignKey.AssertExplained("--tls", pem["client.key"], "no private key");
        missing.AssertExplained("--cert", pem["no.pem"]);
    }
}
