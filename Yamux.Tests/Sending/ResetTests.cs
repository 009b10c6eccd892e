namespace Yamux.Tests.Sending;

/// <summary>WIRE, "What we send": RST.</summary>
public class ResetTests
{
    [Fact]
    public async Task RST_is_WU_RST_of_length_0()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        stream.Abort();

        await t.Peer.ExpectAsync(new Frame(FrameKind.WindowUpdate, FrameFlag.Rst, 1, 0));
        Assert.Equal(0, t.Session.StreamCount);
    }

    [Fact]
    public async Task RST_is_sent_once_and_nothing_for_that_stream_afterwards()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(200_000)));
        await t.Peer.ExpectNothingAsync();

        stream.Abort();
        stream.Abort();
        await Guard.FailsWithAsync(YamuxErrorCode.StreamAborted, stream.Output.WriteAsync(new byte[] { 1 }));
        await Guard.FailsWithAsync(YamuxErrorCode.StreamAborted, stream.Input.ReadAsync());
        await stream.DisposeAsync().Guarded();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(62_144)), Frame.Credit(1, 100), Frame.Fin(1), Frame.Rst(1));

        await t.Peer.ExpectAsync(Frame.Rst(1));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task Completing_the_output_with_an_exception_is_RST_and_no_FIN()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var reason = new InvalidDataException("no more");
        stream.Output.GetSpan(1)[0] = 1;
        stream.Output.Advance(1);

        await stream.Output.CompleteAsync(reason);

        await t.Peer.ExpectAsync(Frame.Rst(1));
        await t.Peer.ExpectNothingAsync();
        var error = await Guard.FailsWithAsync(YamuxErrorCode.StreamAborted, stream.Input.ReadAsync());
        Assert.Same(reason, error.InnerException);
    }

    [Fact]
    public async Task After_FIN_a_stream_that_the_peer_has_not_closed_can_still_be_reset()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await stream.Output.CompleteAsync();

        stream.Abort();

        await t.Peer.ExpectAsync(Frame.Fin(1), Frame.Rst(1));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task No_RST_for_a_stream_that_both_ends_have_closed()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, [1]), Frame.Fin(1));
        await stream.Output.CompleteAsync();
        await t.Peer.ExpectAsync(Frame.Fin(1));
        await t.Peer.ExpectNothingAsync();

        stream.Abort();

        await t.Peer.ExpectNothingAsync();
        await Guard.FailsWithAsync(YamuxErrorCode.StreamAborted, stream.Input.ReadAsync());
    }

    [Fact]
    public async Task No_RST_for_a_stream_that_the_peer_has_reset()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Rst(1));
        await t.Peer.ExpectNothingAsync();

        stream.Abort();
        await stream.DisposeAsync().Guarded();

        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task An_abort_overtakes_what_waits_for_credit_and_wakes_its_writer()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var write = stream.Output.WriteAsync(Bytes.Pattern(300_000)).AsTask();
        await t.Peer.ReadDataAsync(1, 262_144);

        stream.Abort();

        await t.Peer.ExpectAsync(Frame.Rst(1));
        await Guard.FailsWithAsync(YamuxErrorCode.StreamAborted, write);
        await t.Peer.SendAsync(Frame.Credit(1, 100_000));
        await t.Peer.ExpectNothingAsync();
    }
}
