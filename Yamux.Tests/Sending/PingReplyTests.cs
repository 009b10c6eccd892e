namespace Yamux.Tests.Sending;

/// <summary>WIRE, "What we send": ping reply.</summary>
public class PingReplyTests
{
    [Theory]
    [InlineData(0u)]
    [InlineData(1u)]
    [InlineData(uint.MaxValue)]
    public async Task A_ping_is_answered_once_with_its_value_and_exactly_ACK(uint value)
    {
        await using var t = Scenario.Server();

        await t.Peer.SendAsync(Frame.Ping(value));

        await t.Peer.ExpectAsync(new Frame(FrameKind.Ping, FrameFlag.Ack, 0, value));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task Pings_are_answered_in_their_order_also_if_their_values_repeat()
    {
        await using var t = Scenario.Server();

        await t.Peer.SendAsync(Frame.Ping(3), Frame.Ping(1), Frame.Ping(3));

        await t.Peer.ExpectAsync(Frame.Pong(3), Frame.Pong(1), Frame.Pong(3));
        await t.Peer.ExpectNothingAsync();
    }
}
