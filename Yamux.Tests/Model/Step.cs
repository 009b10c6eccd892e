namespace Yamux.Tests.Model;

/// <summary>
/// One operation. The stream is the n-th that this side has, in a circle; where the operation makes no sense it does nothing,
/// so that a sequence from which steps were taken is still a sequence.
/// </summary>
internal sealed record Step(StepKind Kind, Side Side, int Stream, int Size, Pace Pace)
{
    public override string ToString()
    {
        var side = Side == Side.Client ? "client" : "server";
        var what = Kind switch
        {
            StepKind.Open => "open",
            StepKind.Accept => "accept",
            StepKind.Write => $"write {Size} bytes to #{Stream}",
            StepKind.Send => $"write and flush {Size} bytes to #{Stream}",
            StepKind.Flush => $"flush #{Stream}",
            StepKind.Read => $"read #{Stream}, consume up to {Size}",
            StepKind.ReadAndExamine => $"read #{Stream}, consume up to {Size}, examine all",
            StepKind.Examine => $"read #{Stream}, examine all, consume nothing",
            StepKind.CancelRead => $"#{Stream}.Input.CancelPendingRead",
            StepKind.CancelFlush => $"#{Stream}.Output.CancelPendingFlush",
            StepKind.Cancel => $"cancel the token of pending operation {Size}",
            StepKind.CompleteOutput => $"#{Stream}.Output.Complete",
            StepKind.CompleteInput => $"#{Stream}.Input.Complete",
            StepKind.Dispose => $"dispose #{Stream}",
            StepKind.Abort => $"abort #{Stream}",
            StepKind.FailOutput => $"#{Stream}.Output.Complete(exception)",
            StepKind.Ping => "ping",
            StepKind.GoAway => "go away",
            StepKind.Deliver => $"the transport delivers {Size} bytes of it",
            StepKind.DeliverMeanwhile => $"the transport delivers {Size} bytes of it, on another thread",
            StepKind.Stall => "the transport takes no more of it",
            StepKind.Resume => "the transport goes on",
            StepKind.DisposeSession => "dispose the session",
            StepKind.AbortSession => "abort the session",
            StepKind.FailSession => "abort the session with a reason",
            StepKind.Kill => "the connection fails",
            StepKind.CutOff => "the connection ends, with what it still held lost",
            _ => Kind.ToString(),
        };
        var then = Pace switch
        {
            Pace.Exchange => "; exchange",
            Pace.Settle => "; settle",
            _ => "",
        };
        return $"{side}: {what}{then}";
    }
}
