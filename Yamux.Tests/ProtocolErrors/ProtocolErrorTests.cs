namespace Yamux.Tests.ProtocolErrors;

/// <summary>WIRE, "What is a protocol error": GoAway(1), the session fails with an error that says which.</summary>
public class ProtocolErrorTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(255)]
    public async Task A_version_other_than_0(byte version)
    {
        await using var t = Scenario.Server();

        await t.Peer.SendAsync(Frame.Ping(1) with { Version = version });

        await t.ExpectProtocolErrorAsync($"version is {version}");
    }

    [Theory]
    [InlineData(4)]
    [InlineData(255)]
    public async Task An_unknown_type(byte type)
    {
        await using var t = Scenario.Server();

        await t.Peer.SendAsync(new Frame((FrameKind)type, FrameFlag.None, 0, 0));

        await t.ExpectProtocolErrorAsync($"type is {type}");
    }

    [Theory]
    [InlineData(FrameKind.Data)]
    [InlineData(FrameKind.WindowUpdate)]
    public async Task Data_or_WU_on_stream_0(FrameKind kind)
    {
        await using var t = Scenario.Server();

        await t.Peer.SendAsync(new Frame(kind, FrameFlag.None, 0, 1));

        await t.ExpectProtocolErrorAsync($"a {kind} frame came on stream 0");
    }

    [Theory]
    [InlineData(FrameKind.Ping, FrameFlag.Syn, 1u)]
    [InlineData(FrameKind.Ping, FrameFlag.Ack, uint.MaxValue)]
    [InlineData(FrameKind.GoAway, FrameFlag.None, 2u)]
    public async Task Ping_or_GoAway_on_a_stream(FrameKind kind, FrameFlag flags, uint id)
    {
        await using var t = Scenario.Server();

        await t.Peer.SendAsync(new Frame(kind, flags, id, 0));

        await t.ExpectProtocolErrorAsync($"a {kind} frame came on stream {id}");
    }

    [Fact]
    public async Task SYN_of_a_client_for_an_even_id()
    {
        await using var t = Scenario.Server();

        await t.Peer.SendAsync(Frame.Syn(2));

        await t.ExpectProtocolErrorAsync("stream 2, whose id is one of ours");
    }

    [Fact]
    public async Task SYN_of_a_server_for_an_odd_id()
    {
        await using var t = Scenario.Client();

        await t.Peer.SendAsync(Frame.Syn(1));

        await t.ExpectProtocolErrorAsync("stream 1, whose id is one of ours");
    }

    [Theory]
    [InlineData(FrameKind.Data)]
    [InlineData(FrameKind.WindowUpdate)]
    public async Task SYN_for_id_0(FrameKind kind)
    {
        await using var t = Scenario.Client();

        await t.Peer.SendAsync(new Frame(kind, FrameFlag.Syn, 0, 0));

        await t.ExpectProtocolErrorAsync("stream 0");
    }

    [Fact]
    public async Task SYN_for_an_id_that_is_open()
    {
        await using var t = Scenario.Server();
        await t.AcceptAsync(1);

        await t.Peer.SendAsync(Frame.Syn(1));

        await t.ExpectProtocolErrorAsync("stream 1, whose id was used before");
    }

    [Fact]
    public async Task SYN_for_an_id_that_was_used()
    {
        await using var t = Scenario.Server();
        var stream = await t.AcceptAsync(1);
        stream.Abort();
        await t.Peer.ExpectAsync(Frame.Rst(1));

        await t.Peer.SendAsync(Frame.Syn(1));

        await t.ExpectProtocolErrorAsync("stream 1, whose id was used before");
    }

    [Fact]
    public async Task SYN_for_an_id_that_lies_too_far_back_to_know_whether_it_was_used()
    {
        await using var t = Scenario.Server();
        await t.AcceptAsync(1 + (2 * 4096));

        await t.Peer.SendAsync(Frame.Syn(1));

        await t.ExpectProtocolErrorAsync("stream 1, whose id was used before, or is more than 4096 streams behind the latest");
    }

    [Fact]
    public async Task SYN_for_a_late_id_that_was_used_twice()
    {
        await using var t = Scenario.Client();
        await t.AcceptAsync(8192);
        await t.AcceptAsync(2);

        await t.Peer.SendAsync(Frame.Syn(2));

        await t.ExpectProtocolErrorAsync("stream 2, whose id was used before");
    }

    [Fact]
    public async Task SYN_for_an_id_that_was_refused()
    {
        await using var t = Scenario.Server(options => options.AcceptBacklog = 1);
        await t.Peer.SendAsync(Frame.Syn(1), Frame.Syn(3));
        await t.Peer.ExpectAsync(Frame.Rst(3));

        await t.Peer.SendAsync(Frame.Syn(3));

        await t.ExpectProtocolErrorAsync("stream 3, whose id was used before");
    }

    [Fact]
    public async Task The_last_id_of_all_is_valid()
    {
        await using var t = Scenario.Server();

        await t.AcceptAsync(uint.MaxValue);

        await t.Peer.SendAsync(Frame.Data(uint.MaxValue, [1]));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task What_came_before_the_error_is_readable_and_then_the_stream_fails_with_it()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var finished = await t.OpenAsync();

        await t.Peer.SendAsync(
            Frame.Data(1, [1, 2]), Frame.Data(3, [3], FrameFlag.Fin), Frame.Ping(0) with { StreamId = 1 }, Frame.Data(1, [9]), Frame.GoAway(2));

        await t.ExpectProtocolErrorAsync("Ping");
        Assert.Equal([1, 2], await stream.Input.TakeAsync(2));
        await Guard.FailsWithAsync(YamuxErrorCode.ProtocolError, stream.Input.ReadAsync());
        await Guard.FailsWithAsync(YamuxErrorCode.ProtocolError, stream.Output.WriteAsync(new byte[1]));
        await Guard.CancelledAsync(stream.Closed);
        Assert.Equal([3], await finished.Input.TakeAllAsync());
        await Guard.FailsWithAsync(YamuxErrorCode.ProtocolError, finished.Output.WriteAsync(new byte[1]));
    }
}
