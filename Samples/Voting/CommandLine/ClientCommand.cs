using System.CommandLine;
using Voting.Tls;

namespace Voting.CommandLine;

/// <summary>The command <c>client</c>.</summary>
internal static class ClientCommand
{
    private const int DefaultVotes = 100;
    private const int DefaultConcurrency = 4;

    public static Command Create()
    {
        var connect = ParsedOption.Create("--connect", "ADDRESS", "Where the server is: HOST:PORT or unix:PATH.", Address.Parse);
        connect.Required = true;
        var votes = ParsedOption.Number("--votes", $"How many votes to send. Default {DefaultVotes}.", 1_000_000);
        var concurrency = ParsedOption.Number("--concurrency", $"How many of them at once, at most --votes. Default {DefaultConcurrency}.", 1_000);
        var answer = ParsedOption.Create("--answer", "ANSWER", "What this client answers when the server asks: commit (default), abort, stop or error:CODE:TEXT.", Answer.Parse);
        var plain = new Option<bool>("--plain") { Description = "Connects without a backchannel: the server cannot ask, each vote is refused, and the exit code is 1." };
        var tlsCa = new Option<string>("--tls-ca") { Description = "Speaks TLS, with a server whose certificate is signed by one of these authorities (PEM).", HelpName = "CA" };
        var certificate = ParsedOption.CertificateAndKey("--cert", "Shows the server this certificate (PEM). Needs --tls-ca.");

        var command = new Command(
            "client",
            "Sends votes and answers them when the server asks. Exit code 0 when each vote came back as answered, 1 when one did not, 2 when there was nothing to send it to.")
        {
            connect, votes, concurrency, answer, plain, tlsCa, certificate,
        };
        command.SetAction(async parsed =>
        {
            var count = parsed.GetValue(votes) ?? DefaultVotes;
            var atOnce = parsed.GetValue(concurrency) ?? Math.Min(DefaultConcurrency, count);
            if (atOnce > count)
            {
                throw new ExplainedException($"--concurrency {atOnce}: must be at most the number of votes, {count}.");
            }

            var tls = ClientTls.Load(parsed.GetValue(tlsCa), parsed.GetValue(certificate));
            var expected = parsed.GetValue(answer) ?? Answer.Commit;
            var address = parsed.GetRequiredValue(connect);
            await using var client = new VoteClient("voter", address, expected, parsed.GetValue(plain), tls);
            return await new VoteRun(client, expected, new ConnectFailure(address, tls)).RunAsync(count, atOnce);
        });
        return command;
    }
}
