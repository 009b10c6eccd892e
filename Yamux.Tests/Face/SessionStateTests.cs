namespace Yamux.Tests.Face;

/// <summary>What a session tells of itself, to code on top of it.</summary>
public class SessionStateTests
{
    [Fact]
    public async Task Inbound_streams_count_from_their_opening_until_this_end_has_let_go_of_them()
    {
        await using var t = Scenario.Server();
        var wait = t.Session.WaitForInboundStreamsToEndAsync();
        await wait.Guarded();
        await t.Peer.SendAsync(Frame.Syn(1));
        await t.Peer.ExpectNothingAsync();
        Assert.Equal(1, t.Session.InboundStreamCount);

        wait = t.Session.WaitForInboundStreamsToEndAsync();
        var stream = await t.AcceptOpenedAsync(1);
        await t.Session.OpenStreamAsync().Guarded();
        await t.Peer.ExpectAsync(Frame.Syn(2));
        await t.Peer.SendAsync(Frame.Data(1, [1], FrameFlag.Fin));
        await stream.Output.CompleteAsync();
        await t.Peer.ExpectAsync(Frame.Fin(1));
        await t.Peer.ExpectNothingAsync();
        Assert.Equal((1, 1), (t.Session.InboundStreamCount, t.Session.StreamCount));
        Assert.False(wait.IsCompleted);

        await stream.Input.TakeAllAsync();

        await wait.Guarded();
        Assert.Equal((0, 1), (t.Session.InboundStreamCount, t.Session.StreamCount));
    }

    [Fact]
    public async Task The_wait_for_inbound_streams_ends_with_the_session_and_can_be_cancelled()
    {
        await using var t = Scenario.Server();
        var stream = await t.AcceptAsync(1);
        await t.Peer.SendAsync(Frame.Data(1, [1]), Frame.Rst(1)); // Held, since nobody reads it.
        await t.Peer.ExpectNothingAsync();
        using var cancellation = new CancellationTokenSource();
        var (wait, cancelled) = (t.Session.WaitForInboundStreamsToEndAsync(), t.Session.WaitForInboundStreamsToEndAsync(cancellation.Token));

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.Guarded());
        Assert.False(wait.IsCompleted);
        t.Session.Abort();

        await wait.Guarded();
        Assert.Equal(1u, stream.Id);
    }

    [Fact]
    public async Task The_wait_for_inbound_streams_misses_no_end()
    {
        await using var pair = SessionPair.OverPipes();
        for (var round = 0; round < 500; round++)
        {
            var (client, server) = (await pair.OpenAsync(1))[0];
            var wait = Task.Run(() => pair.Server.WaitForInboundStreamsToEndAsync());
            client.Abort();
            server.Abort();

            await wait.Guarded();
        }
    }

    [Fact]
    public async Task Bytes_received_count_headers_and_parts_of_frames()
    {
        await using var t = Scenario.Client();
        Assert.Equal(0, t.Session.BytesReceived);
        await t.OpenAsync();
        await t.Peer.ExpectNothingAsync();
        var before = t.Session.BytesReceived;

        await t.Peer.SendAsync(Frame.DataHeader(1, 10));
        await t.Peer.SendRawAsync(new byte[] { 1, 2, 3 });
        await t.Peer.SendRawAsync(new byte[] { 4, 5, 6, 7, 8, 9, 10 });
        await t.Peer.ExpectNothingAsync();

        Assert.Equal(before + 12 + 10 + 24, t.Session.BytesReceived);
    }

    [Fact]
    public async Task The_options_are_a_copy()
    {
        await using var t = Scenario.Client(options => options.StreamOpenTimeout = TimeSpan.FromSeconds(7));

        t.Session.GetOptions().StreamOpenTimeout = TimeSpan.FromSeconds(8);

        Assert.Equal(TimeSpan.FromSeconds(7), t.Session.GetOptions().StreamOpenTimeout);
        Assert.Same(t.Time, t.Session.GetOptions().TimeProvider);
    }

    [Fact]
    public async Task A_failure_names_its_stream_and_what_stands_where_the_version_should()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Rst(1));
        await t.Peer.ExpectNothingAsync();
        var reset = await Guard.FailsWithAsync(YamuxErrorCode.StreamReset, stream.Input.ReadAsync());
        Assert.Equal(((uint?)1, (byte?)null), (reset.StreamId, reset.ReceivedVersion));

        await t.Peer.SendRawAsync("HTTP/1.1 400"u8.ToArray());

        var foreign = await t.ExpectProtocolErrorAsync("version is 72");
        Assert.Equal(((uint?)null, (byte?)'H'), (foreign.StreamId, foreign.ReceivedVersion));
        Assert.Equal((byte)'H', (await Guard.FailsWithAsync(YamuxErrorCode.ProtocolError, t.Session.PingAsync())).ReceivedVersion);
    }
}
