namespace Yamux.Tests.ProtocolErrors;

/// <summary>WIRE, "What is a protocol error": Data beyond the credit we gave, and credit that overflows.</summary>
public class CreditErrorTests
{
    private const uint Room = uint.MaxValue - 262_144;

    [Fact]
    public async Task Data_may_fill_the_window_exactly()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(262_143)), Frame.Data(1, [1]));

        Assert.Equal(262_144, (await stream.Input.TakeAsync(262_144)).Length);
        await t.Peer.ExpectAsync(Frame.Credit(1, 262_144));
    }

    [Fact]
    public async Task Data_of_one_byte_beyond_the_window()
    {
        await using var t = Scenario.Client();
        await t.OpenAsync();

        await t.Peer.SendAsync(Frame.DataHeader(1, 262_145));

        await t.ExpectProtocolErrorAsync("a frame of 262145 bytes came on stream 1, which had 262144 bytes of credit");
    }

    [Fact]
    public async Task Data_beyond_what_remains_is_refused_before_a_byte_of_it_is_taken()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(262_000)), Frame.Data(1, Bytes.Pattern(145)));

        await t.ExpectProtocolErrorAsync("a frame of 145 bytes came on stream 1, which had 144 bytes of credit");
        await stream.Input.TakeAsync(262_000);
        await Guard.FailsWithAsync(YamuxErrorCode.ProtocolError, stream.Input.ReadAsync());
    }

    [Fact]
    public async Task Data_of_the_greatest_length_there_is()
    {
        await using var t = Scenario.Client();
        await t.OpenAsync();

        await t.Peer.SendAsync(Frame.DataHeader(1, uint.MaxValue));

        await t.ExpectProtocolErrorAsync("a frame of 4294967295 bytes");
    }

    [Fact]
    public async Task Data_with_SYN_of_one_byte_beyond_the_window()
    {
        await using var t = Scenario.Server();

        await t.Peer.SendAsync(Frame.DataHeader(1, 262_145, FrameFlag.Syn));

        await t.ExpectProtocolErrorAsync("a frame of 262145 bytes");
        await Guard.FailsWithAsync(YamuxErrorCode.ProtocolError, t.Session.AcceptStreamAsync());
    }

    [Fact]
    public async Task Credit_that_was_given_can_be_used_to_the_last_byte_and_not_beyond()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(262_144)));
        await stream.Input.TakeAsync(150_000);
        await t.Peer.ExpectAsync(Frame.Credit(1, 150_000));

        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(150_000)));
        await stream.Input.TakeAsync(1);
        await t.Peer.ExpectNothingAsync();
        await t.Peer.SendAsync(Frame.DataHeader(1, 1));

        await t.ExpectProtocolErrorAsync("a frame of 1 bytes came on stream 1, which had 0 bytes of credit");
    }

    [Fact]
    public async Task Data_after_the_peers_FIN_counts_against_the_credit()
    {
        await using var t = Scenario.Client();
        await t.OpenAsync();

        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(262_144)), Frame.Fin(1), Frame.DataHeader(1, 1));

        await t.ExpectProtocolErrorAsync("had 0 bytes of credit");
    }

    [Fact]
    public async Task Credit_on_a_WU_may_reach_the_maximum_exactly()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        await t.Peer.SendAsync(Frame.Credit(1, Room - 1), Frame.Credit(1, 1), Frame.Credit(1, 0));

        await t.Peer.ExpectNothingAsync();
        await stream.Output.WriteAsync(new byte[] { 1 }).Guarded();
        await t.Peer.ExpectAsync(Frame.Data(1, [1]));
        await t.Peer.SendAsync(Frame.Credit(1, 1));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task Credit_on_a_WU_that_overflows_by_one()
    {
        await using var t = Scenario.Client();
        await t.OpenAsync();

        await t.Peer.SendAsync(Frame.Credit(1, Room), Frame.Credit(1, 1));

        await t.ExpectProtocolErrorAsync("stream 1 had 4294967295 bytes of credit; 1 more exceed 4294967295");
    }

    [Fact]
    public async Task Credit_on_the_SYN_may_reach_the_maximum_exactly()
    {
        await using var t = Scenario.Server();

        await t.AcceptAsync(1, Room);

        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task Credit_on_the_SYN_that_overflows_by_one()
    {
        await using var t = Scenario.Server();

        await t.Peer.SendAsync(Frame.Syn(1, Room + 1));

        await t.ExpectProtocolErrorAsync("stream 1 had 262144 bytes of credit");
    }

    [Fact]
    public async Task Credit_on_the_ACK_may_reach_the_maximum_exactly()
    {
        await using var t = Scenario.Client();

        await t.OpenAsync(Room);

        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task Credit_on_the_ACK_that_overflows_by_one()
    {
        await using var t = Scenario.Client();

        await t.OpenAsync(Room + 1);

        await t.ExpectProtocolErrorAsync("stream 1 had 262144 bytes of credit");
    }

    [Fact]
    public async Task Credit_with_FIN_that_overflows_by_one()
    {
        await using var t = Scenario.Client();
        await t.OpenAsync();

        await t.Peer.SendAsync(Frame.Credit(1, Room + 1, FrameFlag.Fin));

        await t.ExpectProtocolErrorAsync("stream 1 had 262144 bytes of credit");
    }
}
