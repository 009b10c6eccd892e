using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Backchannel.Tests.Samples;

[Collection(VotingCollection.Name)]
public class VotingTests(VotingServerFixture server) : IClassFixture<VotingServerFixture>
{
    [Theory]
    [InlineData("commit", "commit")]
    [InlineData("abort", "abort")]
    [InlineData("stop", "stop")]
    [InlineData("error:internal:disk full: /dev/ö", "error:Internal:disk full: /dev/ö")]
    [InlineData("error:Unavailable:", "error:Unavailable:")]
    public async Task Each_vote_comes_back_as_the_client_answers_the_server(string answer, string outcome)
    {
        var result = await VotingProcess.RunAsync("client", "--connect", server.Address, "--votes", "20", "--answer", answer);

        result.AssertVoted(20, outcome);
    }

    [Fact]
    public async Task Many_votes_go_at_once()
    {
        var result = await VotingProcess.RunAsync("client", "--connect", server.Address, "--votes", "500", "--concurrency", "50");

        result.AssertVoted(500, "commit");
    }

    [Fact]
    public async Task A_plain_client_is_refused_each_vote()
    {
        var result = await VotingProcess.RunAsync("client", "--connect", server.Address, "--votes", "3", "--plain");

        result.AssertFailed(
            "3 of 3 votes did not come back as commit",
            "       3  error:FailedPrecondition:non-multiplexed connection",
            "calls served: 0");
    }

    [Fact]
    public async Task The_voters_status_passes_through_with_its_trailers()
    {
        await using var voter = new RawVoter($"http://{server.Address}", response =>
        {
            response.AppendTrailer("grpc-status", "10");
            response.AppendTrailer("grpc-message", "not%0Anow");
            response.AppendTrailer("x-reason", "busy");
            response.AppendTrailer("x-proof-bin", "AQID");
            return Task.CompletedTask;
        });

        var error = await Assert.ThrowsAsync<RpcException>(() => voter.VoteAsync([0x10, 0x07]));

        Assert.Equal(StatusCode.Aborted, error.StatusCode);
        Assert.Equal("not\nnow", error.Status.Detail);
        Assert.Equal("busy", error.Trailers.GetValue("x-reason"));
        Assert.Equal([1, 2, 3], error.Trailers.GetValueBytes("x-proof-bin"));
    }

    [Fact]
    public async Task Vote_and_response_pass_through_with_fields_that_the_server_does_not_know()
    {
        byte[] vote = [0x0a, 0x03, 0x12, 0x01, (byte)'s', 0x10, 0x07, 0x1a, 0x01, (byte)'n', 0x22, 0x02, 0x00, 0xff, 0x28, 0x02, 0x98, 0x06, 0x01];
        byte[] answer = [0x08, 0x02, 0x98, 0x06, 0x05];
        await using var voter = new RawVoter($"http://{server.Address}", async response =>
        {
            await response.Body.WriteAsync((byte[])[0, 0, 0, 0, (byte)answer.Length, .. answer]);
            response.AppendTrailer("grpc-status", "0");
        });

        var reply = await voter.VoteAsync(vote);

        Assert.Equal(answer, reply);
        Assert.Equal(vote, voter.LastRequest);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Its_health_is_served_to_everyone(bool plain)
    {
        await using var client = new RawVoter($"http://{server.Address}", _ => Task.CompletedTask, plain);

        var reply = await client.CallAsync("grpc.health.v1.Health", "Check", []);

        Assert.Equal([0x08, 0x01], reply); // SERVING
    }
}
