namespace Yamux.Tests.Lessons;

/// <summary>
/// WIRE, "Lessons": what a peer can make us hold. CVE-2024-32984; one frame, one allocation. These run alone, since all
/// memory of the process counts.
/// </summary>
[CollectionDefinition(nameof(MemoryTests), DisableParallelization = true)]
[Collection(nameof(MemoryTests))]
public class MemoryTests
{
    [Fact]
    public async Task A_window_full_of_frames_of_one_byte_holds_little_more_than_its_bytes()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var frames = Enumerable.Range(0, 1024).SelectMany(i => Frame.Data(1, [(byte)i]).ToBytes()).ToArray();
        await t.Peer.ExpectNothingAsync();
        var before = GC.GetTotalMemory(forceFullCollection: true);

        for (var i = 0; i < 256; i++)
        {
            await t.Peer.SendRawAsync(frames);
        }

        await t.Peer.ExpectNothingAsync();
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 1024 * 1024);
        await stream.Input.TakeAsync(262_144);
    }

    [Fact]
    public async Task A_peer_that_gives_credit_and_reads_nothing_makes_us_hold_no_more_with_each_frame()
    {
        await using var t = Scenario.Stalled();
        var streams = new List<YamuxStream>();
        for (var i = 0; i < 4; i++)
        {
            streams.Add(await t.OpenAsync());
        }

        await streams[0].Output.WriteAsync(new byte[1]).Guarded();
        await streams[1].Output.WriteAsync(new byte[131_072]).Guarded();
        var blocked = streams[2].Output.WriteAsync(new byte[2048]).AsTask();
        Assert.False(blocked.IsCompleted);
        var frames = Enumerable.Range(0, 1000).SelectMany(_ => Frame.Credit(5, 1).ToBytes()).Concat(Frame.Data(7, [1]).ToBytes()).ToArray();
        var before = GC.GetTotalMemory(forceFullCollection: true);

        for (var i = 0; i < 500; i++)
        {
            await t.Peer.SendRawAsync(frames);
            await streams[3].Input.TakeAsync(1);
        }

        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 512 * 1024);
        Assert.False(blocked.IsCompleted);
        t.Session.Abort();
        await Guard.FailsWithAsync(YamuxErrorCode.SessionClosed, blocked);
    }

    [Fact]
    public async Task Pings_that_are_never_answered_are_forgotten_when_their_time_is_over()
    {
        const int Rounds = 100, PingsARound = 1000, LeastBytesAPing = 100;
        await using var t = Scenario.Client();
        var before = GC.GetTotalMemory(forceFullCollection: true);

        for (var round = 0; round < Rounds; round++)
        {
            var pings = Enumerable.Range(0, PingsARound).Select(_ => t.Session.PingAsync().AsTask()).ToArray();
            for (var i = 0; i < PingsARound; i++)
            {
                await t.Peer.ReadAsync();
            }

            t.Time.Advance(TimeSpan.FromSeconds(10));
            foreach (var ping in pings)
            {
                await Guard.FailsWithAsync(YamuxErrorCode.PingTimeout, ping);
            }
        }

        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, Rounds * PingsARound * LeastBytesAPing / 2);
    }

    [Fact]
    public async Task Writers_wait_when_the_transport_has_taken_nothing_of_some_frames()
    {
        await using var t = Scenario.Stalled();
        var streams = new List<YamuxStream>();
        for (var i = 0; i < 20; i++)
        {
            streams.Add(await t.OpenAsync());
        }

        var writes = streams.Select(stream => stream.Output.WriteAsync(Bytes.Pattern(65_536, (int)stream.Id)).AsTask()).ToArray();

        // One frame is on its way, and 128 KiB may wait behind it; a frame is not split for that bound.
        Assert.Equal(3, writes.Count(write => write.IsCompleted));
        for (var i = 0; i < writes.Length; i++)
        {
            var frame = await t.Peer.ReadAsync();
            Assert.Equal(Bytes.Pattern(65_536, (int)frame.StreamId), frame.Payload);
        }

        await Task.WhenAll(writes).Guarded();
    }
}
