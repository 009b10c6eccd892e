namespace Yamux.Tests.Sending;

/// <summary>WIRE, "What we send": FIN.</summary>
public class FinTests
{
    [Fact]
    public async Task FIN_is_WU_FIN_of_length_0()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        await stream.Output.CompleteAsync();

        await t.Peer.ExpectAsync(new Frame(FrameKind.WindowUpdate, FrameFlag.Fin, 1, 0));
    }

    [Fact]
    public async Task FIN_comes_behind_all_that_was_written_and_flushed_before_it()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await stream.Output.WriteAsync(new byte[] { 1 }).Guarded();
        stream.Output.GetSpan(1)[0] = 2;
        stream.Output.Advance(1);

        await stream.Output.CompleteAsync();

        await t.Peer.ExpectAsync(Frame.Data(1, [1]), Frame.Data(1, [2]), Frame.Fin(1));
    }

    [Fact]
    public async Task FIN_waits_for_the_credit_of_what_stands_before_it()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await stream.Output.WriteAsync(Bytes.Pattern(262_144)).Guarded();
        stream.Output.GetSpan(1)[0] = 42;
        stream.Output.Advance(1);

        stream.Output.Complete();

        await t.Peer.ReadDataAsync(1, 262_144);
        await t.Peer.ExpectNothingAsync();
        await t.Peer.SendAsync(Frame.Credit(1, 1));
        await t.Peer.ExpectAsync(Frame.Data(1, [42]), Frame.Fin(1));
    }

    [Fact]
    public async Task FIN_waits_for_a_flush_that_is_under_way()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var data = Bytes.Pattern(262_144 + 5);
        var flush = stream.Output.WriteAsync(data).AsTask();
        await t.Peer.ReadDataAsync(1, 262_144);

        stream.Output.Complete();

        await t.Peer.ExpectNothingAsync();
        await t.Peer.SendAsync(Frame.Credit(1, 5));
        await t.Peer.ExpectAsync(Frame.Data(1, data[262_144..]), Frame.Fin(1));
        await flush.Guarded();
    }

    [Fact]
    public async Task FIN_is_sent_once_however_often_the_output_is_completed()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        await stream.Output.CompleteAsync();
        await stream.Output.CompleteAsync();
        await stream.DisposeAsync().Guarded();
        await stream.DisposeAsync().Guarded();
        await stream.AsStream().DisposeAsync().Guarded();

        await t.Peer.ExpectAsync(Frame.Fin(1));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task FIN_is_not_repeated_on_later_credit()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await stream.Output.CompleteAsync();
        await t.Peer.ExpectAsync(Frame.Fin(1));

        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(131_072)));
        await stream.Input.TakeAsync(131_072);

        await t.Peer.ExpectAsync(Frame.Credit(1, 131_072));
    }

    [Fact]
    public async Task FIN_is_sent_also_after_the_peers_and_then_the_stream_is_gone()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Fin(1));
        await t.Peer.ExpectNothingAsync();
        Assert.Equal(1, t.Session.StreamCount);

        await stream.Output.WriteAsync(new byte[] { 1 }).Guarded();
        await stream.Output.CompleteAsync();

        await t.Peer.ExpectAsync(Frame.Data(1, [1]), Frame.Fin(1));
        Assert.Equal(0, t.Session.StreamCount);
        await Guard.CancelledAsync(stream.Closed);
    }
}
