namespace Yamux.Tests.Faults;

/// <summary>
/// A transport that fails, ends, stalls or trickles after each number of bytes of an exchange, on either side, of one end and the other in turn; over sockets
/// and TLS after some of them.
/// Whatever happens: every wait ends, with the right error, what came before the fault is right, and nothing is left.
/// </summary>
/// <remarks>They run alone, since unobserved exceptions are those of the whole process.</remarks>
[CollectionDefinition(nameof(TransportFaultTests), DisableParallelization = true)]
[Collection(nameof(TransportFaultTests))]
public class TransportFaultTests
{
    private const int Batch = 500;

    public static TheoryData<FaultKind, FaultSide, int> Batches
        => [.. from kind in Enum.GetValues<FaultKind>() from side in Enum.GetValues<FaultSide>() from start in Starts select (kind, side, start)];

    // A write to a stream has no end but a failure.
    public static TheoryData<PairTransport, FaultKind, FaultSide> RealCases
        => [.. from transport in (PairTransport[])[PairTransport.Sockets, PairTransport.Tls]
            from kind in Enum.GetValues<FaultKind>()
            from side in Enum.GetValues<FaultSide>()
            where (kind, side) != (FaultKind.End, FaultSide.Write)
            select (transport, kind, side)];

    private static IEnumerable<int> Starts => Enumerable.Range(0, Exchange.Interesting / Batch).Select(i => i * Batch);

    [Theory]
    [InlineData(PairTransport.Pipes)]
    [InlineData(PairTransport.Sockets)]
    [InlineData(PairTransport.Tls)]
    public Task Without_a_fault_the_exchange_runs_to_its_end(PairTransport transport) => FaultRun.WithoutAsync(Over(transport));

    [Theory]
    [MemberData(nameof(Batches))]
    public Task A_fault_at_each_offset(FaultKind kind, FaultSide side, int start)
        => FaultRun.AllAsync(Over(PairTransport.Pipes), kind, side, Enumerable.Range(start, Batch));

    [Theory]
    [MemberData(nameof(RealCases))]
    public Task A_fault_of_a_real_connection(PairTransport transport, FaultKind kind, FaultSide side)
        => FaultRun.AllAsync(Over(transport), kind, side, FaultRun.RealOffsets);

    private static FaultyConnect Over(PairTransport transport) => (clientFault, serverFault) => FaultyPair.ConnectAsync(transport, clientFault, serverFault);
}
