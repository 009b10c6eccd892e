using System.Buffers;

namespace Yamux.Tests.Model;

/// <content>What each step does. What a user must not do is left out, and so is what would be repetition.</content>
internal sealed partial class World
{
    private const int MaxOpens = 3;

    private void Do(Step step)
    {
        CheckResults();
        var streams = StreamsOf(step.Side);
        var stream = streams.Count == 0 ? null : streams[step.Stream % streams.Count];
        if (stream is not null && DoOnStream(step, stream))
        {
            return;
        }

        DoOnSession(step);
    }

    private void DoOnSession(Step step)
    {
        var side = _ledger[step.Side];
        var session = this[step.Side];
        switch (step.Kind)
        {
            case StepKind.Open when side.Opens.Count < MaxOpens:
                Open(side);
                break;
            case StepKind.Accept when side.Accept is null:
                Accept(side);
                break;
            case StepKind.Ping:
                Ping(side);
                break;
            case StepKind.GoAway:
                Note(() => side.GoAway = true);
                Begin("go away", session.GoAwayAsync().AsTask(), null, CheckSucceeded);
                break;
            case StepKind.Cancel:
                CancelOne(step);
                break;
            case StepKind.Deliver:
                From(step.Side).Deliver(step.Size);
                break;
            case StepKind.DeliverMeanwhile:
                DeliverMeanwhile(step);
                break;
            case StepKind.Stall:
                From(step.Side).Writer.Stall();
                break;
            case StepKind.Resume:
                From(step.Side).Writer.Resume();
                break;
            case StepKind.DisposeSession:
                DisposeSession(side);
                break;
            case StepKind.AbortSession:
                NoteEnd(side, Causes.Aborted);
                session.Abort();
                break;
            case StepKind.FailSession:
                NoteEnd(side, Causes.AbortedWithReason);
                session.Abort(new InvalidOperationException("the user's reason"));
                break;
            case StepKind.Kill:
                Cut(clean: false);
                break;
            case StepKind.CutOff:
                Cut(clean: true);
                break;
        }
    }

    // True if the step is one that is done to a stream.
    private bool DoOnStream(Step step, StreamSide stream)
    {
        var output = stream.Stream!.Output;
        var input = stream.Stream.Input;
        switch (step.Kind)
        {
            case StepKind.Write when CanWrite(stream):
                Note(() => stream.Written += step.Size);
                output.Write(Content.Of(stream.Model.Id, stream.Side, stream.Written - step.Size, step.Size).Span);
                return true;
            case StepKind.Send when CanWrite(stream):
                Note(() => stream.Written += step.Size);
                Flush(stream, token => output.WriteAsync(Content.Of(stream.Model.Id, stream.Side, stream.Written - step.Size, step.Size), token));
                return true;
            case StepKind.Flush when CanWrite(stream):
                Flush(stream, output.FlushAsync);
                return true;
            case StepKind.Read:
                Read(stream, step.Size);
                return true;
            case StepKind.ReadAndExamine:
                Read(stream, step.Size, examineAll: true);
                return true;
            case StepKind.Examine:
                Read(stream, 0, examineAll: true);
                return true;
            case StepKind.CancelRead when !stream.InputClosed:
                stream.CancelReadsAsked++;
                stream.CancelReadDue = true;
                input.CancelPendingRead();
                return true;
            case StepKind.CancelFlush when !stream.OutputClosed:
                stream.CancelFlushesAsked++;
                stream.CancelFlushDue = true;
                output.CancelPendingFlush();
                return true;
            case StepKind.CompleteOutput:
                Note(() => stream.OutputClosed = true);
                output.Complete();
                return true;
            case StepKind.CompleteInput:
                Note(() => stream.InputClosed = true);
                input.Complete();
                return true;
            case StepKind.Dispose:
                Dispose(stream);
                return true;
            case StepKind.Abort:
                NoteAbort(stream);
                stream.Stream.Abort(new InvalidOperationException("the user's reason"));
                return true;
            case StepKind.FailOutput when !stream.OutputClosed:
                NoteAbort(stream);
                Note(() => stream.OutputClosed = true);
                output.Complete(new InvalidOperationException("the user's reason"));
                return true;
            default:
                return false;
        }
    }

    private static bool CanWrite(StreamSide stream) => !stream.OutputClosed && !stream.WriteFailed && stream.Flush is null;

    private void Open(SessionSide side)
    {
        var refused = false;
        Note(() => refused = (side.IsOver || side.GoAway || Peer(side).GoAwayDelivered) && !IsReceivingUnsynchronized(side.Side));
        var cancellation = new CancellationTokenSource();
        var open = this[side.Side].OpenStreamAsync(cancellation.Token).AsTask();
        side.Opens.Add(Begin("open", open, cancellation, pending => CheckOpened(side, pending, open, refused)));
    }

    private void Accept(SessionSide side)
    {
        var cancellation = new CancellationTokenSource();
        var accept = this[side.Side].AcceptStreamAsync(cancellation.Token).AsTask();
        side.Accept = Begin("accept", accept, cancellation, pending => CheckAccepted(side, pending, accept));
    }

    private void Ping(SessionSide side)
    {
        Note(() => side.PingsAsked++);
        var cancellation = new CancellationTokenSource();
        var ping = this[side.Side].PingAsync(cancellation.Token).AsTask();
        side.Pings.Add(Begin("ping", ping, cancellation, pending => CheckPing(side, pending, ping)));
    }

    private void Flush(StreamSide stream, Func<CancellationToken, ValueTask<System.IO.Pipelines.FlushResult>> begin)
    {
        var cancellation = new CancellationTokenSource();
        var upTo = stream.Written;
        var flush = begin(cancellation.Token).AsTask();
        stream.Flush = Begin("flush", flush, cancellation, pending => CheckFlushed(stream, pending, flush, upTo));
    }

    private void Read(StreamSide stream, int consume, bool examineAll = false)
    {
        if (stream.Read is not null || stream.InputClosed || stream.ReadEnded)
        {
            return;
        }

        lock (_ledger.Gate)
        {
            if (stream.Examined > stream.Consumed && stream.Granted == stream.Peer.Delivered)
            {
                stream.Loan += _sequence.WindowOf(stream.Side) / 2;
            }
        }

        var cancellation = new CancellationTokenSource();
        var read = stream.Stream!.Input.ReadAsync(cancellation.Token).AsTask();
        stream.Read = Begin("read", read, cancellation, pending => CheckRead(stream, pending, read, consume, examineAll));
    }

    private void Dispose(StreamSide stream)
    {
        if (stream.Drain is not null)
        {
            return;
        }

        Note(() => stream.InputClosed = stream.OutputClosed = true);
        stream.Drain = Begin("dispose", stream.Stream!.DisposeAsync().AsTask(), null, CheckSucceeded);
    }

    private void DisposeSession(SessionSide side)
    {
        if (side.Disposal is null)
        {
            NoteEnd(side, Causes.Disposed);
            side.Disposal = Begin("dispose the session", this[side.Side].DisposeAsync().AsTask(), null, CheckSucceeded);
        }
    }

    private void CancelOne(Step step)
    {
        var cancellable = _pending.Where(pending => pending.CanCancel && !pending.Task.IsCompleted).ToList();
        if (cancellable.Count > 0)
        {
            cancellable[step.Size % cancellable.Count].Cancel();
        }
    }

    private void DeliverMeanwhile(Step step)
    {
        Interlocked.Increment(ref _meanwhile);
        ThreadPool.UnsafeQueueUserWorkItem(
            _ =>
            {
                try
                {
                    From(step.Side).Deliver(step.Size, meanwhile: true);
                }
                finally
                {
                    Interlocked.Decrement(ref _meanwhile);
                    _ledger.Pulse();
                }
            },
            null);
    }

    private void Cut(bool clean)
    {
        if (!_fromClient.IsCut)
        {
            Note(() => _ledger[Side.Client].GaveUp = _ledger[Side.Server].GaveUp = true);
            _fromClient.Cut(clean);
            _fromServer.Cut(clean);
            _fromClient.Deliver(0);
            _fromServer.Deliver(0);
        }
    }

    // The frames are checked on other threads.
    private void Note(Action change)
    {
        lock (_ledger.Gate)
        {
            change();
        }
    }

    private void NoteEnd(SessionSide side, Causes cause) => Note(() =>
    {
        side.GaveUp |= cause != Causes.Disposed;
        var isReceiving = IsReceivingUnsynchronized(side.Side);
        if (!side.IsOver || isReceiving)
        {
            side.Causes |= cause;
            side.EndedInHaste |= isReceiving;
        }
    });

    // A stream that both ends have closed has left its session: nobody is to be told of its end.
    private void NoteAbort(StreamSide stream) => Note(() =>
    {
        var isReceiving = IsReceivingUnsynchronized(stream.Side);
        var session = _ledger[stream.Side];
        stream.MayReset |= !stream.IsRemoved || isReceiving;
        var mayBeClosed = stream.OutputClosed && stream.Peer.FinDelivered; // Its FIN may wait for the transport.
        stream.MustReset |= !stream.IsRemoved && !mayBeClosed && !isReceiving && !session.IsOver && !From(stream.Side).Writer.HasFailed;
        stream.Aborted = true;
    });
}
