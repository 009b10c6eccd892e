namespace Yamux.Tests.Model;

/// <content>The end of a sequence: what was begun ends, what was written arrives, and nothing is left behind.</content>
internal sealed partial class World
{
    private async Task FinishAsync()
    {
        switch (_sequence.Ending)
        {
            case Ending.Orderly:
                ResumeBoth();
                await CloseStreamsAsync();
                break;
            case Ending.Disposed:
                await SettleAsync(); // Then what was flushed waits behind a transport that takes nothing.
                break;
            case Ending.Aborted:
                Do(new Step(StepKind.AbortSession, Side.Client, 0, 0, Pace.Hurry));
                Do(new Step(StepKind.FailSession, Side.Server, 0, 0, Pace.Hurry));
                break;
            case Ending.Killed:
                Do(new Step(StepKind.Kill, Side.Client, 0, 0, Pace.Hurry));
                break;
        }

        DisposeSession(_ledger[Side.Client]);
        ResumeBoth();
        await ExchangeAsync();
        DisposeSession(_ledger[Side.Server]);
        await ExchangeAsync();
        await ReadAllAsync();
        Require(_pending.Count == 0, $"{_pending.Count} operations never ended, one of them \"{_pending.FirstOrDefault()?.What}\"");
        CheckEnd(Side.Client);
        CheckEnd(Side.Server);
        Require(_log.First is null, $"a warning was logged: {_log.First}");
        Require(_log.GivenUp is null || _sequence.EndsInTheMiddle, $"something was given up: {_log.GivenUp}");
        Require(_time.ArmedTimers == 0, $"{_time.ArmedTimers} timers are still armed");
    }

    private void ResumeBoth()
    {
        _fromClient.Writer.Resume();
        _fromServer.Writer.Resume();
    }

    // Every stream is accepted, closed at both sides and read to its end; what a flush could not send yet goes with it.
    private async Task CloseStreamsAsync()
    {
        await ExchangeAsync();
        while (await AcceptAllAsync() | await ReadSomeAsync())
        {
        }

        // A stream whose opening waited for a slot may come when others have made room.
        var closed = new HashSet<StreamSide>();
        while (StreamsOf(Side.Client).Concat(StreamsOf(Side.Server)).Where(closed.Add).ToList() is { Count: > 0 } open)
        {
            foreach (var stream in open)
            {
                Note(() => stream.OutputClosed = true);
                stream.Stream!.Output.Complete();
            }

            await ExchangeAsync();
            while (await AcceptAllAsync() | await ReadSomeAsync())
            {
            }
        }

        foreach (var stream in StreamsOf(Side.Client).Concat(StreamsOf(Side.Server)))
        {
            Require(stream.ReadEnded || stream.InputClosed, $"{stream} has not ended: {stream.Consumed} of {stream.Peer.Written} bytes were read");
            Require(stream.Flush is null, $"a flush of {stream} has not ended");
            Note(() => stream.InputClosed = true);
            stream.Stream!.Input.Complete();
        }

        await ExchangeAsync();
        Require(_client.StreamCount == 0 || _ledger[Side.Client].IsOver, $"the client still has {_client.StreamCount} streams");
        Require(_server.StreamCount == 0 || _ledger[Side.Server].IsOver, $"the server still has {_server.StreamCount} streams");
    }

    // True if there was one.
    private async Task<bool> AcceptAllAsync()
    {
        var before = StreamsOf(Side.Client).Count + StreamsOf(Side.Server).Count;
        foreach (var side in (Side[])[Side.Client, Side.Server])
        {
            if (_ledger[side].Accept is null)
            {
                Accept(_ledger[side]);
            }
        }

        await ExchangeAsync();
        return StreamsOf(Side.Client).Count + StreamsOf(Side.Server).Count > before;
    }

    // True if something came.
    private async Task<bool> ReadSomeAsync()
    {
        var streams = StreamsOf(Side.Client).Concat(StreamsOf(Side.Server)).ToList();
        var before = Progress();
        foreach (var stream in streams)
        {
            Read(stream, int.MaxValue);
        }

        await ExchangeAsync();
        return Progress() != before;

        (long Consumed, int Ended, int Cancelled) Progress() => (
            streams.Sum(stream => stream.Consumed),
            streams.Count(stream => stream.ReadEnded),
            streams.Sum(stream => stream.CancelReadsAsked));
    }

    // Whatever became of the sessions, each reader comes to an end, and to a clean one only after everything.
    private async Task ReadAllAsync()
    {
        while (await ReadSomeAsync())
        {
        }

        foreach (var stream in StreamsOf(Side.Client).Concat(StreamsOf(Side.Server)))
        {
            Require(stream.ReadEnded || stream.InputClosed, $"the reader of {stream} has come to no end");
        }
    }

    private void CheckEnd(Side of)
    {
        var (side, session) = (_ledger[of], this[of]);
        Require(session.StreamCount == 0, $"{side} has ended and still has {session.StreamCount} streams");
        var failure = (session.Completion.Exception?.InnerException as YamuxException)?.ErrorCode;
        var causes = side.Causes;
        var allowed = session.Completion.Status switch
        {
            // A connection that is lost when the peer has said that it leaves, and no stream is open, has ended well.
            TaskStatus.RanToCompletion => (causes & (Causes.Disposed | Causes.Aborted | Causes.Ended)) != 0 || Peer(side).GoAwayDelivered,
            TaskStatus.Faulted when failure == YamuxErrorCode.SessionClosed => causes.HasFlag(Causes.AbortedWithReason),
            TaskStatus.Faulted when failure == YamuxErrorCode.ConnectionLost
                => causes.HasFlag(Causes.Failed) || (causes.HasFlag(Causes.Ended) && From(of).Writer.HasFailed),
            _ => false,
        };
        Require(allowed, $"{side} ended by {causes}, and its Completion is {session.Completion.Status}: {session.Completion.Exception?.InnerException}");
        if (causes != Causes.Disposed || side.GaveUp || From(of).Writer.HasFailed)
        {
            return;
        }

        foreach (var stream in StreamsOf(of))
        {
            Require(stream.Aborted || stream.Peer.RstDelivered || stream.Sent >= stream.Flushed, $"{stream} had flushed {stream.Flushed} bytes before its session was disposed; {stream.Sent} were sent");
        }
    }
}
