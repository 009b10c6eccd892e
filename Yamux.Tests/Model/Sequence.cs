using CsCheck;

namespace Yamux.Tests.Model;

/// <summary>A random test: how the two sessions are set up, what is done with them, and how it ends.</summary>
internal sealed record Sequence(
    int Streams, int ClientWindow, int ServerWindow, int MaxUnacknowledgedStreams, int MaxInboundStreams, int[] Fragments, Ending Ending, Step[] Steps)
{
    private const int Window = 262_144;

    /// <summary>Whether the connection, or the peer's session, may end while a session is being closed.</summary>
    public bool EndsInTheMiddle => Ending is not Ending.Orderly
        || Steps.Any(step => step.Kind is StepKind.DisposeSession or StepKind.AbortSession or StepKind.FailSession or StepKind.Kill or StepKind.CutOff);

    private static readonly Gen<int> Size = Gen.Frequency(
        (8, Gen.Int[1, 40]),
        (6, Gen.Int[100, 6_000]),
        (1, Gen.Int[60_000, 140_000]),
        (1, Gen.Int[250_000, 300_000]));

    private static readonly Gen<StepKind> Kind = Gen.Frequency(
        (6, StepKind.Open),
        (6, StepKind.Accept),
        (10, StepKind.Write),
        (10, StepKind.Send),
        (8, StepKind.Flush),
        (18, StepKind.Read),
        (6, StepKind.ReadAndExamine),
        (6, StepKind.Examine),
        (3, StepKind.CancelRead),
        (3, StepKind.CancelFlush),
        (4, StepKind.Cancel),
        (4, StepKind.CompleteOutput),
        (2, StepKind.CompleteInput),
        (3, StepKind.Dispose),
        (2, StepKind.Abort),
        (1, StepKind.FailOutput),
        (3, StepKind.Ping),
        (1, StepKind.GoAway),
        (12, StepKind.Deliver),
        (8, StepKind.DeliverMeanwhile),
        (3, StepKind.Stall),
        (4, StepKind.Resume));

    // Rare, or no sequence would come far.
    private static readonly Gen<StepKind> EndingKind = Gen.OneOf(
        StepKind.DisposeSession, StepKind.AbortSession, StepKind.FailSession, StepKind.Kill, StepKind.CutOff);

    private static readonly Gen<Step> AnyStep = Gen.Select(
        Gen.Frequency((150, Kind), (1, EndingKind)),
        Gen.OneOf(Side.Client, Side.Server),
        Gen.Int[0, 2],
        Size,
        Gen.Frequency((4, Pace.Exchange), (3, Pace.Settle), (4, Pace.Hurry)),
        (kind, side, stream, size, pace) => new Step(kind, side, stream, size, pace));

    /// <summary>All sequences.</summary>
    public static Gen<Sequence> Any { get; } = Gen.Select(
        Gen.Int[0, 2],
        Gen.OneOf(Window, Window + 10_000),
        Gen.OneOf(Window, Window + 10_000),
        Gen.OneOf(256, 1, 2),
        Gen.Frequency((4, 1024), (1, 2)),
        Gen.Int[1, 60].Array[1, 4],
        Gen.Frequency((5, Ending.Orderly), (2, Ending.Disposed), (1, Ending.Aborted), (1, Ending.Killed)),
        AnyStep.Array[0, 50],
        (streams, client, server, unacknowledged, inbound, fragments, ending, steps)
            => new Sequence(streams, client, server, unacknowledged, inbound, fragments, ending, steps));

    public int WindowOf(Side side) => side == Side.Client ? ClientWindow : ServerWindow;

    public YamuxOptions OptionsOf(Side side, TimeProvider time) => new()
    {
        TimeProvider = time,
        EnableKeepAlive = false,
        MaxUnacknowledgedStreams = MaxUnacknowledgedStreams,
        MaxInboundStreams = MaxInboundStreams,
        InitialStreamWindowSize = WindowOf(side),
        MaxStreamWindowSize = WindowOf(side),
    };

    public override string ToString() => string.Join(
        '\n',
        [
            $"{Streams} streams opened by the client; windows {ClientWindow} and {ServerWindow}; at most {MaxUnacknowledgedStreams} unacknowledged; "
                + $"at most {MaxInboundStreams} inbound; fragments {string.Join(", ", Fragments)}",
            .. Steps.Select((step, i) => $"{i + 1,3}. {step}"),
            $"then {Ending}",
        ]);
}
