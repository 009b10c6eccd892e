using System.Diagnostics.CodeAnalysis;
using Benchmarks.Soak.Sessions;
using Yamux;

namespace Benchmarks.Soak.Streams;

/// <summary>One end of one stream: it does what the plan says, and reports whatever the plan does not explain.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Disposed where it is created, when the plan has ended.")]
internal abstract partial class StreamEnd(SoakContext context, SessionPair pair, YamuxSession session, bool opener)
{
    private YamuxStream? _stream;
    private StreamPlan? _plan;
    private ByteView? _view;
    private CancellationTokenSource? _stop;
    private string _doing = "nothing yet";
    private long _read;
    private long _written;
    private long _progressAt = Environment.TickCount64;
    private long _longestIdle;
    private int _interrupted;
    private bool _failed;

    /// <summary>How long it has made no progress.</summary>
    public TimeSpan Idle => TimeSpan.FromMilliseconds(Environment.TickCount64 - Volatile.Read(ref _progressAt));

    protected SoakContext Context => context;

    protected SessionPair Pair => pair;

    protected YamuxSession Session => session;

    protected StreamPlan Plan => _plan!;

    protected ByteView View => _view!;

    protected CancellationToken Stop => _stop?.Token ?? CancellationToken.None;

    // It has had enough of the stream, and will dispose it.
    private bool IsEnding => _stop is { IsCancellationRequested: true };

    /// <summary>Runs to the end. Never fails.</summary>
    public async Task RunAsync()
    {
        context.Working.TryAdd(this, true);
        try
        {
            await RunStreamAsync();
        }
        catch (Exception error)
        {
            context.Failure.Report(ToString(), error);
        }
        finally
        {
            context.Working.TryRemove(this, out _);
        }
    }

    public override string ToString()
    {
        var stream = _stream is null ? "a stream" : FormattableString.Invariant($"stream {_stream.Id}");
        return FormattableString.Invariant(
            $"{stream} of session {pair.Name}, the {session.Role}'s end, {(opener ? "opener" : "acceptor")} ({_plan?.ToString() ?? "no plan yet"}; {_doing}, {_read:N0} bytes read, {_written:N0} written)");
    }

    /// <summary>Gets the stream and its plan, and does it.</summary>
    protected abstract Task RunStreamAsync();

    /// <summary>All parts of the exchange at this end. True if it came to its end.</summary>
    protected abstract Task<bool> ExchangeAsync();

    protected void Do(string what)
    {
        _doing = what;
        Touch();
    }

    protected void SetStream(YamuxStream stream) => _stream = stream;

    /// <summary>Does what the plan says, to the end of the stream.</summary>
    protected async Task RunPlanAsync(StreamPlan plan)
    {
        _plan = plan;
        _view = ByteView.Create(_stream!, plan.UsesPipe(opener), plan.Cancels(opener) ? context.Totals : null, plan.Seed);
        if (plan.EndsEarly(opener))
        {
            _stop = new CancellationTokenSource();
            if (plan.GivesUp(opener))
            {
                _stop.CancelAfter(plan.Patience);
            }
        }

        using (_stop)
        {
            await FinishAsync(await ExchangeAsync());
        }
    }

    /// <summary>One part of the exchange, which may run beside another. Never fails; true if it came to its end.</summary>
    protected async Task<bool> GuardAsync(Func<Task<bool>> part)
    {
        try
        {
            return await part();
        }
        catch (WrongBytesException error)
        {
            context.Failure.Report($"wrong bytes: {ToString()}: {error.Message}");
            _stream!.Abort();
        }
        catch (Exception error) when (Explains(error))
        {
            _failed = true;
        }
        catch (Exception error)
        {
            context.Failure.Report(ToString(), error);
            _stream!.Abort();
        }

        return false;
    }

    /// <summary>Whether what happened to the session explains the error.</summary>
    protected bool SessionExplains(Exception error) => error switch
    {
        ObjectDisposedException or YamuxException { ErrorCode: YamuxErrorCode.SessionClosed or YamuxErrorCode.ConnectionLost } => pair.IsDoomed,
        YamuxException { ErrorCode: YamuxErrorCode.GoAway } => pair.IsDraining || pair.IsDoomed,
        YamuxException { ErrorCode: YamuxErrorCode.StreamReset } => pair.IsDraining, // Opened before the GoAway had come, and refused.
        _ => false,
    };

    private bool Explains(Exception error) => error switch
    {
        YamuxException yamux => SessionExplains(yamux) || PlanExplains(yamux.ErrorCode),
        OperationCanceledException => IsEnding,
        InvalidOperationException => IsEnding, // Completed while it was being written to.
        _ => false,
    };

    private bool PlanExplains(YamuxErrorCode code) => code switch
    {
        YamuxErrorCode.StreamAborted => Plan.InterruptionBy(opener) == Interruption.Reset || Plan.EndsEarly(opener),
        YamuxErrorCode.StreamReset => Plan.InterruptionBy(!opener) == Interruption.Reset || Plan.EndsEarly(!opener) || Plan.EndsEarly(opener) || WasLate,
        YamuxErrorCode.StreamCloseTimeout => Plan.EndsEarly(opener),
        _ => false,
    };

    // True if this end leaves the exchange now.
    protected bool Interrupts(long offset)
    {
        if (!Plan.IsInterruptedBy(opener, offset))
        {
            return IsEnding;
        }

        var isFirst = Interlocked.Exchange(ref _interrupted, 1) == 0;
        if (Plan.InterruptionBy(opener) == Interruption.Reset)
        {
            if (isFirst)
            {
                Interlocked.Increment(ref context.Totals.Resets);
                _stream!.Abort();
            }

            return false; // The next operation tells, and the one that is under way beside this.
        }

        if (isFirst)
        {
            if (Plan.InterruptionBy(opener) == Interruption.Abandon && Plan.Seed % 2 == 0)
            {
                View.DisposeUnderWay();
            }

            _stop!.Cancel();
        }

        return true;
    }

    private async Task FinishAsync(bool complete)
    {
        if (IsEnding)
        {
            await LingerAsync();
            Interlocked.Increment(ref context.Totals.Abandoned);
        }
        else if (_failed)
        {
            _stream!.Abort();
        }

        Do("disposing");
        await _stream!.DisposeAsync();
        if (!complete)
        {
            return;
        }

        if (opener)
        {
            Interlocked.Increment(ref context.Totals.Verified);
        }

        if (Plan.Seed % 16 == 0)
        {
            Do("waiting for Closed");
            await Task.Delay(SoakSettings.HangLimit * 2, _stream.Closed).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task LingerAsync()
    {
        switch (Plan.InterruptionBy(opener))
        {
            case Interruption.Stall:
                Do("stalling");
                await Task.Delay(Plan.Patience, context.Gate.Hurry).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                break;
            case Interruption.Neglect:
                Do("neglecting");
                using (var closed = CancellationTokenSource.CreateLinkedTokenSource(context.Gate.Hurry, _stream!.Closed))
                {
                    await Task.Delay(SoakSettings.HangLimit * 2, closed.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }

                break;
        }
    }

    // The peer resets a stream that it has closed and this end has not, in time. A machine that lets this end wait for a
    // processor so long explains that, and so does a pool that is starved for the rest of the time.
    private bool WasLate => Math.Max(_longestIdle, (long)Idle.TotalMilliseconds) >= (SessionPair.StreamCloseTimeout - context.Settings.Starvation).TotalMilliseconds;

    private void Touch()
    {
        _longestIdle = Math.Max(_longestIdle, (long)Idle.TotalMilliseconds);
        Volatile.Write(ref _progressAt, Environment.TickCount64);
    }
}
