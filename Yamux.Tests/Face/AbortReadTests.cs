namespace Yamux.Tests.Face;

/// <summary>YamuxStream.AbortRead: this end reads no more, and goes on writing.</summary>
public class AbortReadTests
{
    [Fact]
    public async Task What_had_come_and_what_still_comes_is_credited_and_the_peer_is_told_nothing()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, new byte[200_000]));
        await t.Peer.ExpectNothingAsync();

        stream.AbortRead();

        await t.Peer.ExpectAsync(Frame.Credit(1, 200_000));
        await t.Peer.SendAsync(Frame.Data(1, new byte[131_072]));
        await t.Peer.ExpectAsync(Frame.Credit(1, 131_072));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task Writing_goes_on()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        stream.AbortRead();

        await stream.WriteAsync(new byte[] { 1 }).Guarded();
        await t.Peer.ExpectAsync(Frame.Data(1, [1]));
        await t.Peer.SendAsync(Frame.Fin(1));
        await stream.WriteAsync(new byte[] { 2 }, completeWrites: true).Guarded();
        await t.Peer.ExpectAsync(Frame.Data(1, [2]), Frame.Fin(1));
        await t.Peer.ExpectNothingAsync();
        Assert.Equal(0, t.Session.StreamCount);
    }

    [Fact]
    public async Task A_read_that_waits_and_every_later_one_fails_with_the_reason()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var read = stream.Input.ReadAsync().AsTask();
        var reason = new InvalidDataException("not what it should be");

        stream.AbortRead(reason);
        stream.AbortRead(new InvalidOperationException("too late"));

        var failure = await Guard.FailsWithAsync(YamuxErrorCode.StreamAborted, read);
        Assert.Equal((1u, reason), (failure.StreamId, failure.InnerException));
        failure = await Guard.FailsWithAsync(YamuxErrorCode.StreamAborted, stream.Input.ReadAsync());
        Assert.Same(reason, failure.InnerException);
    }

    [Fact]
    public async Task A_buffer_in_the_readers_hand_stays_as_it_was()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, [1, 2, 3]));
        var read = await stream.Input.ReadAsync().Guarded();

        stream.AbortRead();
        await t.Peer.SendAsync(Frame.Data(1, [4, 5, 6]));
        await t.Peer.ExpectNothingAsync();

        Assert.Equal([1, 2, 3], System.Buffers.BuffersExtensions.ToArray(read.Buffer));
        stream.Input.AdvanceTo(read.Buffer.End);
    }

    [Fact]
    public async Task Reading_that_a_reset_has_ended_before_tells_of_the_reset()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, [1]), Frame.Rst(1));
        await t.Peer.ExpectNothingAsync();

        stream.AbortRead();

        await Guard.FailsWithAsync(YamuxErrorCode.StreamReset, stream.Input.ReadAsync());
    }

    [Fact]
    public async Task A_stream_that_both_ends_have_finished_gives_back_its_place()
    {
        await using var t = Scenario.Server();
        var stream = await t.AcceptAsync(1);
        await stream.WriteAsync(new byte[] { 1 }, completeWrites: true).Guarded();
        await t.Peer.SendAsync(Frame.Data(1, [1], FrameFlag.Fin));
        await t.Peer.ExpectAsync(Frame.Data(1, [1]), Frame.Fin(1));
        await t.Peer.ExpectNothingAsync();
        Assert.Equal(1, t.Session.InboundStreamCount);

        stream.AbortRead();

        Assert.Equal(0, t.Session.InboundStreamCount);
    }
}
