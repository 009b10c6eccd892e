using System.Buffers;

namespace Yamux.Tests.Tuning;

/// <summary>Windows that grow while streams come, go and are aborted at any time.</summary>
public class GrowthRaceTests
{
    private const int Budget = 1024 * 1024;
    private const int Length = 2 * 1024 * 1024;

    [Fact]
    public async Task Streams_that_grow_lose_no_byte_and_give_back_what_they_took()
    {
        var grown = 0L;
        for (var round = 0; round < 100; round++)
        {
            await using var pair = SessionPair.OverPipes(configure: options =>
            {
                options.TimeProvider = new RestlessTime();
                options.ConnectionWriteTimeout = TimeSpan.FromDays(1);
                options.StreamCloseTimeout = TimeSpan.FromDays(1);
                options.StreamOpenTimeout = TimeSpan.FromDays(1);
                options.MaxStreamWindowSize = 1024 * 1024;
                options.MaxSessionWindowGrowth = Budget;
            });
            var streams = await pair.OpenAsync(4);
            var data = Bytes.Pattern(Length, round);

            await Task.WhenAll(streams.SelectMany((stream, i) => new[]
            {
                Task.Run(() => SendAsync(stream.Client, data, aborts: i == 3)),
                Task.Run(() => ReceiveAsync(stream.Server, data, aborted: i == 3)),
            })).Guarded();

            foreach (var (client, server) in streams)
            {
                grown += server.WindowGrowth;
                await client.DisposeAsync().Guarded();
                await server.DisposeAsync().Guarded();
                await Guard.CancelledAsync(client.Closed);
                await Guard.CancelledAsync(server.Closed);
            }

            Assert.Equal((uint)Budget, pair.Server.TakeWindowGrowth(uint.MaxValue));
            Assert.Equal((uint)Budget, pair.Client.TakeWindowGrowth(uint.MaxValue));
        }

        Assert.NotEqual(0, grown);
    }

    private static async Task SendAsync(YamuxStream stream, byte[] data, bool aborts)
    {
        await stream.Output.WriteAsync(data.AsMemory(0, Length / 2));
        if (aborts)
        {
            stream.Abort();
            return;
        }

        await stream.Output.WriteAsync(data.AsMemory(Length / 2));
        await stream.Output.CompleteAsync();
    }

    private static async Task ReceiveAsync(YamuxStream stream, byte[] data, bool aborted)
    {
        var taken = 0;
        try
        {
            while (true)
            {
                var read = await stream.Input.ReadAsync();
                var bytes = read.Buffer.ToArray();
                Bytes.AssertSame(data.AsSpan(taken, bytes.Length).ToArray(), bytes);
                taken += bytes.Length;
                stream.Input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    break;
                }
            }

            Assert.Equal((Length, false), (taken, aborted));
        }
        catch (YamuxException error) when (aborted)
        {
            Assert.Equal(YamuxErrorCode.StreamReset, error.ErrorCode);
        }
    }

    /// <summary>A clock that moves when it is looked at: round trips and paces are long, and as chance will have it.</summary>
    private sealed class RestlessTime : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Add(ref _now, 25 * TimeSpan.TicksPerMillisecond);
    }
}
