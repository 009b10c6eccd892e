using Backchannel.Tests.Kit;
using Backchannel.Tests.Links.Kit;
using Backchannel.Tests.Transports.Kit;
using Xunit;
using Yamux;
using Yamux.Tests.Kit;
using Guard = Backchannel.Tests.Kit.Guard;

namespace Backchannel.Tests.Transports;

/// <summary>What the peer says cannot be looked at while every thread of the pool is blocked. That is our own lateness, and not its silence.</summary>
[Collection(LinksCollection.Name)]
public class StarvedPoolTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public static TheoryData<TransportKind, YamuxRole> Cases => TransportPair.Cases;

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_peer_that_spoke_meanwhile_is_not_taken_for_dead(TransportKind kind, YamuxRole role)
    {
        await using var pair = await TransportPair.ConnectAsync(kind, role);
        await PingAsync(pair, 1);

        await Task.Factory.StartNew(
            () =>
            {
                using var starved = new StarvedPool();
                pair.Time.Advance(Interval);
                pair.Far.Write(Frame.Ping(2).ToBytes());
                pair.Time.Advance(Limit);
                pair.Time.Advance(Limit); // Nothing can be looked at for as long again.
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default).Guarded();

        await ExpectPongAsync(pair, 2);
        pair.Time.Advance(Patience);
        await PingAsync(pair, 3);
        Assert.False(pair.Near.Completion.IsCompleted);
    }

    private static async Task PingAsync(TransportPair pair, uint value)
    {
        await pair.Far.WriteAsync(Frame.Ping(value).ToBytes());
        await ExpectPongAsync(pair, value);
    }

    private static async Task ExpectPongAsync(TransportPair pair, uint value)
    {
        var header = new byte[Frame.HeaderSize];
        do
        {
            await pair.Far.ReadExactlyAsync(header).AsTask().Guarded();
        }
        while (Frame.Parse(header) != Frame.Pong(value));
    }
}
