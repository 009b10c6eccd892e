using Backchannel.Tests.Transports.Kit;
using Xunit;
using Yamux.Tests.Faults;
using Yamux.Tests.Kit;

namespace Backchannel.Tests.Transports;

/// <summary>A connection to Kestrel that fails, ends, stalls or trickles, at Kestrel's end and at the client's in turn, as the engine's own tests have it over pipes, sockets and TLS.</summary>
/// <remarks>They run alone, since unobserved exceptions are those of the whole process.</remarks>
[CollectionDefinition(nameof(KestrelFaultTests), DisableParallelization = true)]
[Collection(nameof(KestrelFaultTests))]
public class KestrelFaultTests
{
    // A write to the client's stream has no end but a failure.
    public static TheoryData<FaultKind, FaultSide> Cases
        => [.. from kind in Enum.GetValues<FaultKind>()
            from side in Enum.GetValues<FaultSide>()
            where (kind, side) != (FaultKind.End, FaultSide.Write)
            select (kind, side)];

    [Fact]
    public async Task Without_a_fault_the_exchange_runs_to_its_end()
    {
        await using var kestrel = await FaultyKestrel.StartAsync();

        await FaultRun.WithoutAsync(kestrel.ConnectAsync);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_fault_of_a_connection_to_Kestrel(FaultKind kind, FaultSide side)
    {
        await using var kestrel = await FaultyKestrel.StartAsync();

        await FaultRun.AllAsync(kestrel.ConnectAsync, kind, side, FaultRun.RealOffsets);
    }
}
