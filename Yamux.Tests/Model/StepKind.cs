namespace Yamux.Tests.Model;

/// <summary>The operations of a sequence.</summary>
internal enum StepKind
{
    Open,
    Accept,
    Write,
    Send,
    Flush,
    Read,
    ReadAndExamine,
    Examine,
    CancelRead,
    CancelFlush,
    Cancel,
    CompleteOutput,
    CompleteInput,
    Dispose,
    Abort,
    FailOutput,
    Ping,
    GoAway,
    Deliver,
    DeliverMeanwhile,
    Stall,
    Resume,
    DisposeSession,
    AbortSession,
    FailSession,
    Kill,
    CutOff,
}
