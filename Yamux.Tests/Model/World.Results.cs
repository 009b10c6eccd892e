using System.Buffers;
using System.IO.Pipelines;

namespace Yamux.Tests.Model;

/// <content>What the result of each operation may be, by what has happened until now.</content>
internal sealed partial class World
{
    private static void CheckSucceeded(Pending pending)
        => Require(pending.Task.IsCompletedSuccessfully, $"\"{pending.What}\" failed: {pending.Task.Exception?.InnerException}");

    private void CheckOpened(SessionSide side, Pending pending, Task<YamuxStream> open, bool refused)
    {
        side.Opens.Remove(pending);
        if (!open.IsCompletedSuccessfully)
        {
            List<YamuxErrorCode> allowed = [.. CodesOf(side)];
            if (side.GoAway || Peer(side).GoAwayDelivered)
            {
                allowed.Add(YamuxErrorCode.GoAway);
            }

            CheckFailure(pending, side.ToString(), allowed);
            return;
        }

        Require(!refused, $"{side} opened a stream though it may open none");
        Attach(side, open.Result);
    }

    private void CheckAccepted(SessionSide side, Pending pending, Task<YamuxStream?> accept)
    {
        side.Accept = null;
        if (!accept.IsCompletedSuccessfully)
        {
            CheckFailure(pending, side.ToString(), CodesOf(side));
            return;
        }

        if (accept.Result is not { } stream)
        {
            Require(side.IsOver, $"{side} accepts no more, though it has not ended");
            return;
        }

        Require(_ledger.Stream(stream.Id)[side.Side].Peer.SynDelivered, $"{side} accepted stream {stream.Id}, of which it was not told");
        Require(stream.Id > side.LastAccepted, $"{side} accepted stream {stream.Id} after {side.LastAccepted}");
        side.LastAccepted = stream.Id;
        Attach(side, stream);
    }

    private void Attach(SessionSide side, YamuxStream stream)
    {
        var model = _ledger.Stream(stream.Id)[side.Side];
        Require(model.Stream is null, $"{model} was handed out twice");
        model.Stream = stream;

        // The server's are never asked for: there is none to cancel then.
        model.Closed = side.Side == Side.Client ? stream.Closed : null;
    }

    private void CheckPing(SessionSide side, Pending pending, Task<TimeSpan> ping)
    {
        side.Pings.Remove(pending);
        if (!ping.IsCompletedSuccessfully)
        {
            CheckFailure(pending, side.ToString(), CodesOf(side));
            return;
        }

        side.PingsAnswered++;
        Require(side.PingsAnswered <= Peer(side).PongsDelivered, $"{side} had a ping answered of which no answer has come");
        Require(ping.Result == TimeSpan.Zero, $"{side} pinged in {ping.Result}, while time stood still");
    }

    private void CheckFlushed(StreamSide stream, Pending pending, Task<FlushResult> flush, long upTo)
    {
        stream.Flush = null;
        if (!flush.IsCompletedSuccessfully)
        {
            stream.WriteFailed = CheckFailure(pending, stream.ToString(), CodesOf(stream));
        }
        else if (flush.Result.IsCanceled)
        {
            Require(stream.CancelFlushesAsked-- > 0, $"a flush of {stream} was cancelled by nobody");
            stream.CancelFlushDue = false;
        }
        else
        {
            stream.Flushed = Math.Max(stream.Flushed, upTo);
        }
    }

    private void CheckRead(StreamSide stream, Pending pending, Task<ReadResult> read, int consume, bool examineAll)
    {
        stream.Read = null;
        if (!read.IsCompletedSuccessfully)
        {
            stream.CancelReadDue = false; // One end of the read may answer for two cancellations.
            CheckReadFailure(stream, pending);
            return;
        }

        var (result, buffer) = (read.Result, read.Result.Buffer);
        var end = stream.Consumed + buffer.Length;
        if (result.IsCanceled)
        {
            Require(stream.CancelReadsAsked-- > 0, $"a read of {stream} was cancelled by nobody");
            stream.CancelReadDue = false;
        }

        Require(
            end > stream.Examined || result.IsCompleted || result.IsCanceled || CodesOf(stream).Count > 0,
            $"a read of {stream} ended with nothing new: it had examined {stream.Examined} bytes, {end} are there");
        var offset = stream.Consumed;
        foreach (var piece in buffer)
        {
            var same = Content.Of(stream.Model.Id, stream.Peer.Side, offset, piece.Length).Span.SequenceEqual(piece.Span);
            Require(same, $"{stream} reads something else at byte {offset} and the {piece.Length - 1} that follow than was written");
            offset += piece.Length;
        }

        if (result.IsCompleted)
        {
            Require(
                stream.Peer.FinDelivered && end == stream.Peer.Written,
                $"{stream} reads as ended after {end} bytes; {stream.Peer.Written} were written, and FIN {(stream.Peer.FinDelivered ? "has come" : "has not come")}");
        }

        var count = Math.Min(consume, buffer.Length);
        Note(() =>
        {
            stream.Shown = Math.Max(stream.Shown, end);
            stream.Consumed += count;
            stream.Loan -= Math.Min(count, stream.Loan);
            stream.Examined = Math.Max(stream.Examined, examineAll ? end : stream.Consumed); // As a pipe: what was examined stays so.
            stream.ReadEnded = result.IsCompleted && stream.Consumed == end;
        });
        var consumed = buffer.GetPosition(count);
        stream.Stream!.Input.AdvanceTo(consumed, examineAll ? buffer.End : consumed);
    }

    private void CheckReadFailure(StreamSide stream, Pending pending)
    {
        List<YamuxErrorCode> allowed = [.. CodesOf(stream)];
        if (stream.InputClosed)
        {
            allowed.Add(YamuxErrorCode.StreamAborted);
        }

        stream.ReadEnded = CheckFailure(pending, stream.ToString(), allowed);
        if (stream.ReadEnded && !stream.Aborted && !stream.InputClosed && !_ledger[stream.Side].EndedInHaste)
        {
            Require(stream.Shown >= stream.Peer.Delivered, $"{stream} failed after {stream.Shown} bytes; {stream.Peer.Delivered} had come");
            Require(!stream.Peer.FinDeliveredInTime, $"{stream} failed though FIN had come");
        }
    }

    // True if it was not merely cancelled.
    private static bool CheckFailure(Pending pending, string who, IReadOnlyCollection<YamuxErrorCode> allowed)
    {
        var failure = pending.Task.Exception?.InnerException;
        if (failure is null or OperationCanceledException)
        {
            Require(pending.IsCancelled, $"\"{pending.What}\" of {who} was cancelled by nobody");
            return false;
        }

        Require(
            failure is ObjectDisposedException
                ? allowed.Contains(YamuxErrorCode.SessionClosed)
                : failure is YamuxException { ErrorCode: var code } && allowed.Contains(code),
            $"\"{pending.What}\" of {who} failed; allowed are [{string.Join(", ", allowed)}]: {failure}");
        return true;
    }

    private List<YamuxErrorCode> CodesOf(StreamSide stream)
    {
        var codes = CodesOf(_ledger[stream.Side]).ToList();
        if (stream.Aborted)
        {
            codes.Add(YamuxErrorCode.StreamAborted);
        }

        if (stream.Peer.RstDelivered)
        {
            codes.Add(YamuxErrorCode.StreamReset);
        }

        return codes;
    }

    private YamuxErrorCode[] CodesOf(SessionSide side)
    {
        var lost = (side.Causes & (Causes.Ended | Causes.Failed)) != 0 || From(side.Side).Writer.HasFailed;
        var closed = (side.Causes & Causes.ByUser) != 0;
        return (lost, closed) switch
        {
            (true, true) => [YamuxErrorCode.ConnectionLost, YamuxErrorCode.SessionClosed],
            (true, false) => [YamuxErrorCode.ConnectionLost],
            (false, true) => [YamuxErrorCode.SessionClosed],
            _ => [],
        };
    }

    private SessionSide Peer(SessionSide side) => _ledger[side.Side == Side.Client ? Side.Server : Side.Client];

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new ModelException($"{otherwise}.");
        }
    }
}
