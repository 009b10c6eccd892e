using System.IO.Pipelines;

namespace Yamux.Tests.Tuning;

/// <summary>Two sessions of the engine that are some way apart.</summary>
public class DistanceTests
{
    private const int Initial = 262_144;
    private const int Greatest = 16 * 1024 * 1024;
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Tick = Delay / 4;

    [Fact]
    public async Task A_stream_that_is_written_and_read_without_pause_has_the_greatest_window_after_a_few_round_trips()
    {
        var time = new TestTime();
        var link = new DelayedLink(time, Delay);
        await using var pair = SessionPair.Over(link.First, link.Second, options => options.TimeProvider = time);
        var writer = await pair.Client.OpenStreamAsync().Guarded();
        var accepting = pair.Server.AcceptStreamAsync().AsTask();
        while (!accepting.IsCompleted)
        {
            // The SYN leaves soon, on another thread. Time stands still until then, or the session would be too old.
            link.Forth.Send();
            if (link.Forth.IsUnderWay)
            {
                time.Advance(Delay);
                await link.Forth.DeliverAsync();
            }

            await Task.Yield();
        }

        var reader = await accepting;

        var consumed = 0L;
        var writing = WriteAsync(writer.Output);
        var reading = ReadAsync(reader!.Input, count => Interlocked.Add(ref consumed, count));
        var start = time.GetUtcNow();
        long window = Initial;
        while (window < Greatest)
        {
            Assert.True(time.GetUtcNow() - start < 40 * Delay, $"The window is {window} after {time.GetUtcNow() - start}.");

            // At this instant nothing moves any more: the writer has used its credit, and the reader has consumed what came.
            await SettleAsync(link, () => Interlocked.Read(ref consumed)).Guarded();
            window = Initial + link.Back.Sent.Credit(1) - Interlocked.Read(ref consumed);
            Assert.True(window <= Greatest, $"The window is {window}.");
            time.Advance(Tick);
            await link.Forth.DeliverAsync();
            await link.Back.DeliverAsync();
        }

        pair.Client.Abort();
        pair.Server.Abort();
        await Assert.ThrowsAsync<YamuxException>(() => writing.Guarded());
        await Assert.ThrowsAsync<YamuxException>(() => reading.Guarded());
    }

    private static async Task SettleAsync(DelayedLink link, Func<long> consumed)
    {
        while (true)
        {
            link.Forth.Send();
            link.Back.Send();
            if (link.Forth.Sent.Payload(1) == Initial + link.Back.Arrived.Credit(1) && consumed() == link.Forth.Arrived.Payload(1))
            {
                return;
            }

            await Task.Yield();
        }
    }

    private static async Task WriteAsync(PipeWriter output)
    {
        await Task.Yield();
        var piece = Bytes.Pattern(100_000);
        while (true)
        {
            await output.WriteAsync(piece);
        }
    }

    private static async Task ReadAsync(PipeReader input, Action<long> onConsumed)
    {
        await Task.Yield();
        while (true)
        {
            var read = await input.ReadAsync();
            var count = read.Buffer.Length;
            input.AdvanceTo(read.Buffer.End);
            onConsumed(count);
        }
    }
}
