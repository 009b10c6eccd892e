namespace Yamux.Tests.Faults;

/// <summary>A read or a write of a real connection that ends only when its session is long over: nobody waits for it, and nobody gets what it brings.</summary>
[Collection(nameof(TransportFaultTests))]
public class LateTransportTests
{
    public static TheoryData<PairTransport, FaultSide, YamuxRole> Cases
        => [.. from transport in (PairTransport[])[PairTransport.Sockets, PairTransport.Tls]
            from late in Enum.GetValues<FaultSide>()
            from role in Enum.GetValues<YamuxRole>()
            select (transport, late, role)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_session_that_is_aborted_ends_in_time_and_takes_nothing_more(PairTransport transport, FaultSide late, YamuxRole role)
    {
        using var unobserved = new UnobservedExceptions();
        var (first, second) = await Loopback.ConnectAsync();
        var socket = new LateNetworkStream(first, late);
        var (near, far) = transport == PairTransport.Sockets ? (socket, second) : await TlsLoopback.SecureAsync(socket, second);
        var time = new TestTime();
        var session = YamuxSession.Create(near, role, new YamuxOptions { TimeProvider = time });
        await using var peer = YamuxSession.Create(far, role == YamuxRole.Client ? YamuxRole.Server : YamuxRole.Client, new YamuxOptions { TimeProvider = time });
        var stream = await session.OpenStreamAsync().Guarded();
        var other = (await peer.AcceptStreamAsync().Guarded())!;
        await stream.Acknowledged.Guarded();
        await peer.PingAsync().Guarded(); // So that nothing else is under way.
        var reading = stream.Input.ReadAsync().AsTask();

        socket.Hold();
        await (late == FaultSide.Read ? other : stream).Output.WriteAsync(new byte[100]).Guarded();
        await socket.Reached.Guarded();
        session.Abort();
        await AdvanceUntilAsync(time, session.Completion).Guarded();
        Assert.True(socket.Socket.SafeHandle.IsClosed);
        socket.Release();

        await Guard.FailsWithAsync(YamuxErrorCode.SessionClosed, reading);
        await Guard.FailsWithAsync(YamuxErrorCode.SessionClosed, stream.Input.ReadAsync());
        Assert.Equal(0, session.StreamCount);
        unobserved.AssertNone();
    }

    private static async Task AdvanceUntilAsync(TestTime time, Task ended)
    {
        while (!ended.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await PoolTurn.WaitAsync();
        }
    }
}
