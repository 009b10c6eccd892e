using Xunit;
using Yamux.Tests.Kit;

namespace Yamux.Tests.Faults;

/// <summary>Plays exchanges over connections of one kind, with a fault at one place after the other, and looks at what is left.</summary>
internal static class FaultRun
{
    // Odd, so that both ends meet both forms of a fault, and no multiple of a header's size divides it.
    private const int RealStep = 17;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>The places that are tried over real connections.</summary>
    public static IEnumerable<int> RealOffsets => Enumerable.Range(0, Exchange.Interesting / RealStep).Select(i => i * RealStep);

    /// <summary>An exchange without a fault.</summary>
    public static async Task WithoutAsync(FaultyConnect connect)
    {
        var exchange = await Exchange.ConnectAsync(connect, clientFault: null, serverFault: null);

        await exchange.RunAsync().Guarded();

        await Aftermath.ExpectReleasedAsync(exchange);
    }

    /// <summary>An exchange with a fault at each of these places.</summary>
    public static async Task AllAsync(FaultyConnect connect, FaultKind kind, FaultSide side, IEnumerable<int> offsets)
    {
        using var unobserved = new UnobservedExceptions();
        await Parallel.ForEachAsync(offsets, async (offset, _) =>
        {
            // The ends take turns, two offsets each, so that both meet every kind in both of its forms.
            var role = (offset / 2 % 2) == ((int)kind % 2) ? YamuxRole.Client : YamuxRole.Server;
            await RunAsync(connect, new TransportFault(kind, side, offset) { TrickleEnd = Exchange.Interesting }, role);
        });
        unobserved.AssertNone();
    }

    private static async Task RunAsync(FaultyConnect connect, TransportFault fault, YamuxRole role)
    {
        try
        {
            await (fault.Kind == FaultKind.Trickle ? RunTrickleAsync(connect, fault, role) : RunFailureAsync(connect, fault, role));
        }
        catch (Exception error)
        {
            Assert.Fail($"The {role}'s {fault.Side} side, {fault.Kind} after {fault.Offset} bytes: {error}");
        }
    }

    private static async Task RunTrickleAsync(FaultyConnect connect, TransportFault fault, YamuxRole role)
    {
        var (exchange, faulty, _) = await ConnectAsync(connect, fault, role);

        await exchange.RunAsync().Guarded();

        Assert.True(faulty.Transport.Reached.IsCompleted, "The exchange is too short.");
        await Aftermath.ExpectReleasedAsync(exchange);
    }

    private static async Task RunFailureAsync(FaultyConnect connect, TransportFault fault, YamuxRole role)
    {
        var (exchange, faulty, other) = await ConnectAsync(connect, fault, role);
        var run = exchange.RunAsync();
        await faulty.Transport.Reached.Guarded();

        var before = faulty.Transport.Received.Payloads();
        await PassTimeAsync(fault, faulty.Time, faulty.Session).Guarded();

        // How the exchange failed depends on who found out first; what matters is looked at below.
        await Assert.ThrowsAsync<YamuxException>(() => run.Guarded());
        await EndedAsync(faulty.Session).Guarded();
        await EndedAsync(other.Session).Guarded();
        await ExpectWaitingEndedAsync(exchange).Guarded();
        await Aftermath.ExpectFailedAsync(faulty, other, ExpectedCode(fault), fault.Side == FaultSide.Write ? before : null).Guarded();
        await Aftermath.ExpectFailedAsync(other, faulty, YamuxErrorCode.ConnectionLost).Guarded();
        await Aftermath.ExpectReleasedAsync(exchange);
    }

    private static async Task<(Exchange Exchange, Party Faulty, Party Other)> ConnectAsync(FaultyConnect connect, TransportFault fault, YamuxRole role)
    {
        var isClient = role == YamuxRole.Client;
        var exchange = await Exchange.ConnectAsync(connect, isClient ? fault : null, isClient ? null : fault);
        return isClient ? (exchange, exchange.Client, exchange.Server) : (exchange, exchange.Server, exchange.Client);
    }

    // A failure to write is no end while there may be something to read: it takes as long as a stalled write.
    private static async Task PassTimeAsync(TransportFault fault, TestTime time, YamuxSession session)
    {
        var defaults = new YamuxOptions();
        if (fault.Side == FaultSide.Write)
        {
            await time.TimerSetAsync(defaults.ConnectionWriteTimeout);
            time.Advance(defaults.ConnectionWriteTimeout);

            // What the other end was still sending shows that something moves; then a write that stalls has its time once more. A
            // session that has ended, and has no streams, sets a timer of as long to close its transport, which must not pass.
            while (fault.Kind == FaultKind.Stall)
            {
                await time.TimerSetAsync(defaults.ConnectionWriteTimeout, Patience); // The second where the last look was late on a clock that had been moved on.
                if (session.StreamCount == 0)
                {
                    break;
                }

                time.Advance(defaults.ConnectionWriteTimeout);
            }
        }
        else if (fault.Kind == FaultKind.Stall)
        {
            // A write that was under way, and ends meanwhile, shows that something moves; then a keepalive has its time once more.
            while (!session.Completion.IsCompleted)
            {
                time.Advance(defaults.KeepAliveInterval);
                time.Advance(defaults.KeepAliveTimeout);
                await PoolTurn.WaitAsync();
            }
        }
    }

    private static YamuxErrorCode ExpectedCode(TransportFault fault) => (fault.Kind, fault.Side) switch
    {
        (FaultKind.Stall, FaultSide.Read) => YamuxErrorCode.KeepAliveTimeout,
        (FaultKind.Stall, FaultSide.Write) => YamuxErrorCode.ConnectionWriteTimeout,
        _ => YamuxErrorCode.ConnectionLost,
    };

    private static async Task EndedAsync(YamuxSession session)
        => await session.Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static async Task ExpectWaitingEndedAsync(Exchange exchange)
    {
        foreach (var task in exchange.Waiting)
        {
            try
            {
                await task;
            }
            catch (YamuxException)
            {
                // The fault's, or the exchange's own.
            }
        }
    }
}
