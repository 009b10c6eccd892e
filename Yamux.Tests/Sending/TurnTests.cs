namespace Yamux.Tests.Sending;

/// <summary>Who waits to send bulk has his turn in the order in which he came.</summary>
public class TurnTests
{
    private const int Frames = 4;

    [Theory]
    [InlineData(5)]
    [InlineData(50)]
    public async Task Streams_that_send_bulk_take_turns_frame_by_frame(int count)
    {
        const int InTheQueue = 3; // One is being written, and two wait.
        const int Each = 16;
        await using var t = Scenario.Stalled();
        var streams = new List<YamuxStream>();
        for (var i = 0; i < count; i++)
        {
            streams.Add(await t.OpenAsync(credit: Each * 65_536));
        }

        using var appended = new SemaphoreSlim(0);
        var writes = streams.ConvertAll(async stream =>
        {
            for (var i = 0; i < Each; i++)
            {
                var write = stream.Output.WriteAsync(new byte[65_536]);
                if (i > 0)
                {
                    appended.Release(); // The one before it: this one is in the queue by now, or waits for it.
                }

                await write;
            }

            appended.Release();
        });

        var served = streams.ToDictionary(stream => stream.Id, _ => 0);
        for (var (i, seen) = (0, 0); i < count * Each; i++)
        {
            for (; seen < Math.Min(i + InTheQueue, count * Each); seen++)
            {
                await appended.WaitAsync().Guarded();
            }

            served[await ReadDataAsync(t)]++;

            // But for the first, which had come when there was still room.
            var others = served.Where(stream => stream.Key != 1).Select(stream => stream.Value).ToArray();
            Assert.InRange(others.Max() - others.Min(), 0, 2);
        }

        await Task.WhenAll(writes).Guarded();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_does_not_wait_any_more_keeps_nobody_waiting(bool aborted)
    {
        for (var round = 0; round < 20; round++)
        {
            await using var t = Scenario.Stalled();
            var first = await SendAsync(t, 2);
            using var cancellation = new CancellationTokenSource();
            var leaving = new List<(YamuxStream Stream, Task Write)>();
            for (var i = 0; i < 6; i++)
            {
                var stream = await t.Session.OpenStreamAsync().Guarded();
                var write = i % 2 == 0
                    ? stream.AsStream().WriteAsync(new byte[65_536], cancellation.Token).AsTask()
                    : stream.Output.WriteAsync(new byte[65_536], cancellation.Token).AsTask();
                leaving.Add((stream, write));
            }

            var last = await SendAsync(t, 2);

            // Meanwhile, so that it may be their turn.
            var leave = Task.Run(() =>
            {
                if (aborted)
                {
                    leaving.ForEach(left => left.Stream.Abort());
                }
                else
                {
                    cancellation.Cancel();
                }
            });
            for (var left = 4 * Frames; left > 0;)
            {
                var id = await ReadDataAsync(t);
                left -= first.ContainsKey(id) || last.ContainsKey(id) ? 1 : 0;
            }

            await Task.WhenAll([leave, .. last.Values]).Guarded();
            foreach (var (_, write) in leaving)
            {
                await Guard.EndedAsync(write);
            }
        }
    }

    // Streams that send so much each, by their ids.
    private static async Task<Dictionary<uint, Task>> SendAsync(Scenario t, int count)
    {
        var writes = new Dictionary<uint, Task>();
        for (var i = 0; i < count; i++)
        {
            var stream = await t.Session.OpenStreamAsync().Guarded();
            writes.Add(stream.Id, t.EndsWithSession(stream.Output.WriteAsync(new byte[Frames * 65_536])));
        }

        return writes;
    }

    // The stream of the next frame of Data.
    private static async Task<uint> ReadDataAsync(Scenario t)
    {
        while (true)
        {
            var frame = await t.Peer.ReadAsync();
            if (frame.Payload.Length > 0)
            {
                return frame.StreamId;
            }
        }
    }
}
