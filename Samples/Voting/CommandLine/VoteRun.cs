using Grpc.Core;

namespace Voting.CommandLine;

/// <summary>Sends a client's votes, and reports what came back.</summary>
internal sealed class VoteRun(VoteClient client, Answer expected, ConnectFailure failure)
{
    // What gRPC calls it depends on how far the call was.
    private static readonly Answer ConnectionLost = Answer.Of(new Status(StatusCode.Unavailable, "the connection to the server was lost"));

    private readonly Tally _tally = new();

    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(int votes, int concurrency)
    {
        await VoteFirstAsync();
        await Parallel.ForEachAsync(
            Enumerable.Range(2, votes - 1),
            new ParallelOptions { MaxDegreeOfParallelism = concurrency },
            async (transaction, _) => await VoteAsync(transaction));

        Console.WriteLine("outcomes of the votes:");
        foreach (var line in _tally.Describe())
        {
            Console.WriteLine(line);
        }

        Console.WriteLine($"calls served: {client.Served}");
        var asAnswered = _tally[expected];
        if (asAnswered < votes)
        {
            await Console.Error.WriteLineAsync($"failed: {votes - asAnswered} of {votes} votes did not come back as {expected}");
            return 1;
        }

        Console.WriteLine($"ok: {votes} of {votes} votes came back as {expected}");
        return 0;
    }

    // It goes alone, so that a server that cannot be reached is one error and not an outcome of each vote.
    private async Task VoteFirstAsync()
    {
        try
        {
            _tally.Add(Answer.Of((await client.VoteAsync(1)).State));
        }
        catch (RpcException error)
        {
            if (ConnectFailure.TryGetCause(error, out var cause))
            {
                throw failure.Explain(cause);
            }

            // The backchannel answers in the place of a server that has refused the connection.
            var answer = Answer.Of(error.Status);
            _tally.Add(error.StatusCode == StatusCode.Unavailable && answer != expected ? throw failure.Explain(new IOException(error.Status.Detail)) : answer);
        }
    }

    private async Task VoteAsync(int transaction)
    {
        try
        {
            _tally.Add(Answer.Of((await client.VoteAsync(transaction)).State));
        }
        catch (RpcException error)
        {
            _tally.Add(ConnectFailure.TryGetCause(error, out _) ? ConnectionLost : Answer.Of(error.Status));
        }
    }
}
