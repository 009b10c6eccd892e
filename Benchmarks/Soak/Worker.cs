using Benchmarks.Soak.Sessions;
using Benchmarks.Soak.Streams;
using Yamux;

namespace Benchmarks.Soak;

/// <summary>Opens one stream after the other, each on a session that it draws; now and then it pings one instead.</summary>
internal sealed class Worker(SoakContext context, SessionPool pool, ulong seed)
{
    private RandomSequence _random = new(seed);

    /// <summary>Runs until it is cancelled. Never fails otherwise.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await Task.Yield(); // Behind all others: a worker whose stream never had to wait would keep them from theirs.
                await context.Gate.EnterAsync(cancellationToken);
                if (pool.TakeReplacementDue())
                {
                    await pool.ReplaceAsync(_random.Next());
                }

                var pair = pool.Pick(ref _random);
                var session = _random.OneIn(2) ? pair.Client : pair.Server;
                await (_random.OneIn(50) ? PingAsync(pair, session) : new Opener(context, pair, session, _random.Next()).RunAsync());
                pair.Leave();
                context.Gate.Exit();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The soak is over.
        }
    }

    private async Task PingAsync(SessionPair pair, YamuxSession session)
    {
        using var cancel = _random.OneIn(4) ? new CancellationTokenSource(TimeSpan.FromMilliseconds(_random.Next(3))) : null;
        try
        {
            await session.PingAsync(cancel?.Token ?? CancellationToken.None).AsTask().WaitAsync(SoakSettings.HangLimit, CancellationToken.None);
            Interlocked.Increment(ref context.Totals.Pings);
        }
        catch (OperationCanceledException) when (cancel is not null)
        {
            Interlocked.Increment(ref context.Totals.Cancelled);
        }
        catch (Exception error) when (pair.IsDoomed && error is ObjectDisposedException or YamuxException { ErrorCode: YamuxErrorCode.SessionClosed or YamuxErrorCode.ConnectionLost })
        {
            // The session was replaced.
        }
        catch (Exception error)
        {
            context.Failure.Report($"a ping of the {session.Role} of {pair}", error);
        }
    }
}
