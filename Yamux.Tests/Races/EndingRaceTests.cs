namespace Yamux.Tests.Races;

/// <summary>
/// Everything that can end a stream or a session, at once. No order is wrong; what must hold is that every wait ends, with
/// an error of yamux or well, that the peer sees at most one FIN and one RST a stream, and that nothing is left.
/// </summary>
public class EndingRaceTests
{
    private const int Rounds = 25;

    public static TheoryData<string, string> Pairs
    {
        get
        {
            string[] endings = ["abort", "dispose", "complete", "complete with an error", "the peer's RST", "the peer's FIN", "session dispose", "session abort", "the peer's end"];
            var data = new TheoryData<string, string>();
            for (var i = 0; i < endings.Length; i++)
            {
                for (var j = i + 1; j < endings.Length; j++)
                {
                    // The peer does one thing at a time.
                    if (!endings[i].StartsWith("the peer", StringComparison.Ordinal) || !endings[j].StartsWith("the peer", StringComparison.Ordinal))
                    {
                        data.Add(endings[i], endings[j]);
                    }
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Two_endings_at_once_while_one_reads_and_one_flushes(string first, string second)
    {
        for (var round = 0; round < Rounds; round++)
        {
            await using var t = Scenario.Client();
            var stream = await t.OpenAsync();
            var frames = CollectAsync(t);
            var read = Task.Run(async () => await stream.Input.ReadAsync());
            var write = Task.Run(async () => await stream.Output.WriteAsync(Bytes.Pattern(300_000)));

            await Task.WhenAll(Task.Run(() => EndAsync(t, stream, first)), Task.Run(() => EndAsync(t, stream, second))).Guarded();

            stream.Abort();
            t.Session.Abort();
            await SettledAsync(read);
            await SettledAsync(write);
            await stream.DisposeAsync().Guarded();
            await Guard.CancelledAsync(stream.Closed);
            Assert.Equal(0, t.Session.StreamCount);
            var seen = await frames.Guarded();
            Assert.InRange(seen.Count(frame => frame.Flags.HasFlag(FrameFlag.Fin)), 0, 1);
            Assert.InRange(seen.Count(frame => frame.Flags.HasFlag(FrameFlag.Rst)), 0, 1);
            var rst = seen.FindIndex(frame => frame.Flags.HasFlag(FrameFlag.Rst));
            Assert.True(rst < 0 || seen.FindIndex(rst + 1, frame => frame.StreamId == 1) < 0, "A frame of the stream came after its RST.");
            var fin = seen.FindIndex(frame => frame.Flags.HasFlag(FrameFlag.Fin));
            Assert.True(fin < 0 || seen.FindIndex(fin + 1, frame => frame.Kind == FrameKind.Data) < 0, "Data came after FIN.");
        }
    }

    [Fact]
    public async Task Opens_accepts_pings_and_GoAway_at_once_with_the_end_of_the_session()
    {
        for (var round = 0; round < Rounds; round++)
        {
            await using var pair = SessionPair.OverPipes(configure: options => options.MaxUnacknowledgedStreams = 4);
            pair.ExpectsWarnings = true;
            var work = new List<Task>();
            foreach (var session in new[] { pair.Client, pair.Server })
            {
                for (var i = 0; i < 10; i++)
                {
                    work.Add(Task.Run(async () => await (await session.OpenStreamAsync()).Output.WriteAsync(new byte[10])));
                    work.Add(Task.Run(async () => await session.AcceptStreamAsync()));
                    work.Add(Task.Run(async () => await session.PingAsync()));
                }
            }

            work.Add(Task.Run(async () => await pair.Client.GoAwayAsync()));
            work.Add(Task.Run(() => pair.Server.Abort()));
            work.Add(Task.Run(async () => await pair.Client.DisposeAsync()));

            foreach (var task in work)
            {
                await SettledAsync(task);
            }

            await Task.WhenAll(pair.Client.Completion, pair.Server.Completion).Guarded();
            Assert.Equal((0, 0), (pair.Client.StreamCount, pair.Server.StreamCount));
        }
    }

    [Fact]
    public async Task Cancelling_opens_accepts_and_flushes_while_they_complete_loses_neither_a_slot_nor_a_stream_nor_a_byte()
    {
        await using var pair = SessionPair.OverPipes(configure: options => options.MaxUnacknowledgedStreams = 2);
        for (var round = 0; round < 200; round++)
        {
            using var cancelOpen = new CancellationTokenSource();
            using var cancelAccept = new CancellationTokenSource();
            var open = Task.Run(async () => await pair.Client.OpenStreamAsync(cancelOpen.Token));
            var accept = Task.Run(async () => await pair.Server.AcceptStreamAsync(cancelAccept.Token));
            await Task.WhenAll(Task.Run(cancelOpen.Cancel), Task.Run(cancelAccept.Cancel)).Guarded();
            await SettledAsync(open);
            await SettledAsync(accept);
            if (!open.IsCompletedSuccessfully)
            {
                Assert.False(accept.IsCompletedSuccessfully);
                continue;
            }

            var client = await open;
            var server = accept.IsCompletedSuccessfully ? await accept : await pair.Server.AcceptStreamAsync().Guarded();
            Assert.Equal(client.Id, server?.Id);
            await CancelWritesAsync(client, server!);
        }

        await pair.OpenAsync(5);
    }

    private static async Task CancelWritesAsync(YamuxStream client, YamuxStream server)
    {
        var data = Bytes.Pattern(400_000);
        var received = server.Input.TakeAllAsync();
        for (var sent = 0; sent < data.Length; sent += 100_000)
        {
            using var cancel = new CancellationTokenSource();
            var write = Task.Run(async () => await client.Output.WriteAsync(data.AsMemory(sent, 100_000), cancel.Token));
            await Task.Run(cancel.Cancel).Guarded();
            await SettledAsync(write);
            if (write.IsCanceled && client.Output.UnflushedBytes == 0)
            {
                // Cancelled before it took anything.
                await client.Output.WriteAsync(data.AsMemory(sent, 100_000)).Guarded();
            }

            // Or what waits for credit would look like a part of the next.
            await client.Output.FlushAsync().Guarded();
        }

        await client.DisposeAsync().Guarded();
        Bytes.AssertSame(data, await received);
        await server.DisposeAsync().Guarded();
    }

    private static async Task EndAsync(Scenario t, YamuxStream stream, string how)
    {
        switch (how)
        {
            case "abort":
                stream.Abort();
                break;
            case "dispose":
                // Not awaited: it waits for credit that may never come, until the end.
                _ = stream.DisposeAsync().AsTask();
                break;
            case "complete":
                stream.Output.Complete(); // Not CompleteAsync, which waits for credit as well.
                break;
            case "complete with an error":
                await stream.Output.CompleteAsync(new InvalidOperationException("no more"));
                break;
            case "the peer's RST":
                await t.Peer.SendAsync(Frame.Rst(1));
                break;
            case "the peer's FIN":
                await t.Peer.SendAsync(Frame.Credit(1, 100_000), Frame.Data(1, [1], FrameFlag.Fin));
                break;
            case "session dispose":
                await t.Session.DisposeAsync();
                break;
            case "session abort":
                t.Session.Abort();
                break;
            case "the peer's end":
                t.Peer.CloseOutput();
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(how), how, "There is no such ending.");
        }
    }

    private static Task<List<Frame>> CollectAsync(Scenario t) => Task.Run(async () =>
    {
        var frames = new List<Frame>();
        try
        {
            while (await t.Peer.TryReadAsync() is { } frame)
            {
                frames.Add(frame);
                if (frame == Frame.Ping(frame.Length))
                {
                    await t.Peer.SendAsync(Frame.Pong(frame.Length)); // It has everything.
                }
            }
        }
        catch (Exception error) when (error is YamuxException or InvalidOperationException || t.Session.Completion.IsCompleted)
        {
            // The session was aborted, in the middle of a frame perhaps; or the peer has closed its side, and answers no more.
        }

        return frames;
    });

    // It ends, well or with an error that a user of the engine expects.
    private static async Task SettledAsync(Task task)
    {
        try
        {
            await task.Guarded();
        }
        catch (Exception error) when (error is YamuxException or OperationCanceledException or InvalidOperationException)
        {
        }
    }
}
