namespace Yamux.Tests.Sending;

/// <summary>What is written while the transport is busy leaves together, in the order in which it was written.</summary>
public class GatheringTests
{
    [Fact]
    public async Task Small_writes_behind_a_busy_transport_leave_in_one_frame()
    {
        await using var t = Scenario.Stalled();
        var stream = await t.OpenAsync();
        await stream.Output.WriteAsync(new byte[] { 1 }).Guarded();
        await t.Peer.PeekAsync();

        await stream.Output.WriteAsync(new byte[] { 2, 3 }).Guarded();
        await stream.Output.WriteAsync(new byte[] { 4 }).Guarded();
        await stream.Output.WriteAsync(new byte[] { 5, 6 }).Guarded();

        await t.Peer.ExpectAsync(Frame.Data(1, [1]), Frame.Data(1, [2, 3, 4, 5, 6]));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_frame_grows_to_64_KiB_and_no_further()
    {
        await using var t = Scenario.Stalled();
        var stream = await t.OpenAsync();
        await stream.Output.WriteAsync(new byte[] { 1 }).Guarded();
        await t.Peer.PeekAsync();

        var data = Bytes.Pattern(40_000);
        await stream.Output.WriteAsync(data).Guarded();
        await stream.Output.WriteAsync(data.AsMemory(0, 25_536)).Guarded();
        await stream.Output.WriteAsync(new byte[] { 7 }).Guarded();

        await t.Peer.ExpectAsync(Frame.Data(1, [1]), Frame.Data(1, [.. data, .. data[..25_536]]), Frame.Data(1, [7]));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task Another_streams_data_or_FIN_in_between_begins_another_frame()
    {
        await using var t = Scenario.Stalled();
        var first = await t.OpenAsync();
        var second = await t.OpenAsync();
        await first.Output.WriteAsync(new byte[] { 1 }).Guarded();
        await t.Peer.PeekAsync();

        await first.Output.WriteAsync(new byte[] { 2 }).Guarded();
        await second.Output.WriteAsync(new byte[] { 3 }).Guarded();
        await first.Output.WriteAsync(new byte[] { 4 }).Guarded();
        second.Output.Complete();
        await first.Output.WriteAsync(new byte[] { 5 }).Guarded();

        await t.Peer.ExpectAsync(
            Frame.Data(1, [1]), Frame.Data(1, [2]), Frame.Data(3, [3]), Frame.Data(1, [4]), Frame.Fin(3), Frame.Data(1, [5]));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task The_SYN_leaves_although_nothing_is_written()
    {
        await using var t = Scenario.Client();

        await t.Session.OpenStreamAsync().Guarded();

        await t.Peer.ExpectAsync(Frame.Syn(1));
    }
}
