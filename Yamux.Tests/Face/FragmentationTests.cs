namespace Yamux.Tests.Face;

/// <summary>The same exchange whether it comes at once, byte by byte, or cut at any place.</summary>
public class FragmentationTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_exchange_of_every_kind_of_frame(bool oneByteAtATime)
    {
        await using var t = Scenario.Server(oneByteAtATime: oneByteAtATime);

        await ExchangeAsync(t, frames => t.Peer.SendAsync(frames));
    }

    [Fact]
    public async Task An_exchange_cut_at_each_place()
    {
        for (var cut = 1; cut < Incoming.Sum(frame => frame.ToBytes().Length); cut++)
        {
            await using var t = Scenario.Server();
            await ExchangeAsync(t, async frames =>
            {
                var bytes = frames.SelectMany(frame => frame.ToBytes()).ToArray();
                await t.Peer.SendRawAsync(bytes.AsMemory(0, cut));
                await t.Peer.SendRawAsync(bytes.AsMemory(cut));
            });
        }
    }

    [Fact]
    public async Task A_frame_whose_last_bytes_the_transport_takes_later()
    {
        await using var t = Scenario.Stalled();
        var first = await t.OpenAsync();
        var second = await t.OpenAsync();
        var data = Bytes.Pattern(65_536);
        await first.Output.WriteAsync(data).Guarded();
        await second.Output.WriteAsync(data).Guarded();
        await first.Output.WriteAsync(data).Guarded(); // Behind the first: they leave in writes that do not end where frames do.
        await t.Peer.ExpectAsync(Frame.Data(1, data));
        var piece = await t.Peer.End.Input.ReadAsync().Guarded();
        Assert.True(piece.Buffer.Length < Frame.HeaderSize + data.Length); // A part of the next.
        t.Peer.End.Input.AdvanceTo(piece.Buffer.Start);

        await t.Peer.ExpectAsync(Frame.Data(3, data), Frame.Data(1, data));

        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_read_of_at_least_so_many_bytes_counts_those_that_were_examined_before()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, [1, 2, 3]));
        await stream.Input.ExamineAsync(3);

        await t.Peer.SendAsync(Frame.Data(1, [4]));

        Assert.Equal([1, 2, 3, 4], await stream.Input.TakeAsync(4));
    }

    private static Frame[] Incoming =>
    [
        Frame.Ping(9),
        Frame.Syn(1, 5),
        Frame.Data(1, [1, 2, 3]),
        Frame.Data(3, [4], FrameFlag.Syn),
        Frame.Pong(77),
        Frame.Data(1, [5], FrameFlag.Fin),
        Frame.Data(99, [0, 0, 0, 3, 1]),
        Frame.Rst(3),
        Frame.Data(5, [6, 7], FrameFlag.Syn | FrameFlag.Fin),
        Frame.GoAway(0),
        Frame.Ping(10),
    ];

    private static async Task ExchangeAsync(Scenario t, Func<Frame[], Task> send)
    {
        await send(Incoming);
        await t.Peer.ExpectAsync(Frame.Pong(9), Frame.Pong(10));
        var first = await t.AcceptOpenedAsync(1);
        var last = await t.AcceptOpenedAsync(5);

        Assert.Equal([1, 2, 3, 5], await first.Input.TakeAllAsync());
        Assert.Equal([6, 7], await last.Input.TakeAllAsync());
        await Guard.FailsWithAsync(YamuxErrorCode.GoAway, t.Session.OpenStreamAsync());
        await first.Output.WriteAsync(new byte[] { 8 }).Guarded();
        await first.DisposeAsync().Guarded();
        await last.DisposeAsync().Guarded();
        await t.Peer.ExpectAsync(Frame.Data(1, [8]), Frame.Fin(1), Frame.Fin(5));
        Assert.Equal(0, t.Session.StreamCount);
    }
}
