using System.IO.Pipelines;

namespace Yamux.Tests.Isolation;

/// <summary>
/// No lock and no await lets one stream, one slow reader or one dead transport stop another: each offender against each
/// victim. The offender still stands when the victim is done.
/// </summary>
public class IsolationTests
{
    private const int Window = 262_144;

    public static TheoryData<Offender, Victim> Pairs { get; } = NewPairs();

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task What_stands_still_stops_nobody_else(Offender offender, Victim victim)
    {
        await using var pair = SessionPair.OverPipes(configure: options =>
        {
            options.FixWindows(Window);
            (options.AcceptBacklog, options.MaxUnacknowledgedStreams) = (4, 4);
        });
        var streams = await pair.OpenAsync(3);
        using var released = new ManualResetEventSlim();
        var stuck = await OffendAsync(pair, streams[0], offender, released);
        try
        {
            // On another thread: an engine that blocked it would otherwise not be caught but hang the test.
            await Task.Run(() => CompleteAsync(pair, streams[1], streams[2], victim)).Guarded();
            Assert.False(stuck.IsCompleted, "the offender no longer stands still");
        }
        finally
        {
            released.Set();
            if (offender is not (Offender.UnreadStream or Offender.ExaminingReader or Offender.WriterWithoutCredit or Offender.FullAcceptQueue))
            {
                await stuck.Guarded();
            }
            else
            {
                // What waits for ever fails with its session. It is looked at here, or it would be found by a test that
                // looks for exceptions that nobody has seen.
                await pair.DisposeAsync();
                await stuck.Guarded().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            }
        }
    }

    // Returns what does not end while the offence lasts.
    private static async Task<Task> OffendAsync(
        SessionPair pair, (YamuxStream Client, YamuxStream Server) streams, Offender offender, ManualResetEventSlim released)
    {
        var (client, server) = streams;
        var thread = new BlockedThread(released);
        switch (offender)
        {
            case Offender.UnreadStream:
            case Offender.WriterWithoutCredit:
                var writer = offender == Offender.UnreadStream ? client : server;
                var write = writer.Output.WriteAsync(Bytes.Pattern(Window + 1)).AsTask();
                await writer.Session.PingAsync().Guarded();
                return write;
            case Offender.ExaminingReader:
                await client.Output.WriteAsync(Bytes.Pattern(1_000)).Guarded();
                await server.Input.ExamineAsync(1_000);
                return server.Input.ReadAsync().AsTask();
            case Offender.FullAcceptQueue:
                for (var i = 0; i < 4; i++)
                {
                    await pair.Client.OpenStreamAsync().Guarded();
                }

                return pair.Client.OpenStreamAsync().AsTask();
            case Offender.BlockedReader:
                thread.BlockAfter(server.Input.ReadAsync().AsTask());
                await client.Output.WriteAsync(new byte[1]).Guarded();
                break;
            case Offender.BlockedWriter:
                thread.BlockAfter(client.Output.WriteAsync(Bytes.Pattern(Window + 1)).AsTask());
                await TakeInPiecesAsync(server.Input, Window);
                break;
            case Offender.BlockedAcceptor:
                thread.BlockAfter(pair.Server.AcceptStreamAsync().AsTask());
                await pair.Client.OpenStreamAsync().Guarded();
                break;
            case Offender.BlockedClosedCallback:
                server.Closed.Register(thread.Block);
                client.Abort();
                break;
            case Offender.DisposedStream:
                await server.DisposeAsync().Guarded();
                return WriteUntilAsync(client, released);
            case Offender.DeadTransport:
                return BeDeadAsync(new StubbornStream(), released);
            case Offender.BlockingTransport:
                _ = BeDeadAsync(new BlockingStream(thread), released);
                break;
        }

        await thread.Begun.Guarded();
        return thread.Ended;
    }

    private static async Task CompleteAsync(
        SessionPair pair, (YamuxStream Client, YamuxStream Server) first, (YamuxStream Client, YamuxStream Server) second, Victim victim)
    {
        switch (victim)
        {
            case Victim.Echo:
                await EchoAsync(first.Client, first.Server);
                await EchoAsync(second.Server, second.Client);
                break;
            case Victim.Accept:
                var opened = await pair.Server.OpenStreamAsync().Guarded();
                var accepted = await pair.Client.AcceptStreamAsync().Guarded();
                await EchoAsync(opened, accepted!);
                break;
            case Victim.Open:
                await (await pair.Server.OpenStreamAsync().Guarded()).Output.WriteAsync(new byte[1]).Guarded();
                break;
            case Victim.Ping:
                await pair.Client.PingAsync().Guarded();
                await pair.Server.PingAsync().Guarded();
                break;
            default:
                await Task.WhenAll(first.Client.DisposeAsync().Guarded(), first.Server.DisposeAsync().Guarded());
                await Guard.CancelledAsync(first.Client.Closed);
                await Guard.CancelledAsync(first.Server.Closed);
                break;
        }
    }

    // More than a window each way, so that credit must go too.
    private static async Task EchoAsync(YamuxStream from, YamuxStream to)
    {
        var data = Bytes.Pattern(Window + 100_000);
        var there = from.Output.WriteAsync(data).AsTask();
        Bytes.AssertSame(data, await TakeInPiecesAsync(to.Input, data.Length));
        await there.Guarded();
        var back = to.Output.WriteAsync(data).AsTask();
        Bytes.AssertSame(data, await TakeInPiecesAsync(from.Input, data.Length));
        await back.Guarded();
    }

    private static async Task<byte[]> TakeInPiecesAsync(PipeReader input, int count)
    {
        var bytes = new List<byte>(count);
        while (bytes.Count < count)
        {
            var read = await input.ReadAsync().Guarded();
            foreach (var piece in read.Buffer)
            {
                bytes.AddRange(piece.Span);
            }

            input.AdvanceTo(read.Buffer.End);
        }

        return [.. bytes];
    }

    private static async Task WriteUntilAsync(YamuxStream stream, ManualResetEventSlim released)
    {
        while (!released.IsSet)
        {
            await stream.Output.WriteAsync(Bytes.Pattern(100_000));
            await Task.Yield();
        }
    }

    // Another session, which waits for its transport on a thread of its own.
    private static Task BeDeadAsync(Stream transport, ManualResetEventSlim released) => Task.Factory.StartNew(
        () =>
        {
            var session = YamuxSession.Create(transport, YamuxRole.Client, new YamuxOptions { TimeProvider = new TestTime() });
            var open = session.OpenStreamAsync().AsTask();
            released.Wait();
            session.Abort();
            session.Completion.Guarded().GetAwaiter().GetResult();
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    private static TheoryData<Offender, Victim> NewPairs()
    {
        var pairs = new TheoryData<Offender, Victim>();
        foreach (var offender in Enum.GetValues<Offender>())
        {
            foreach (var victim in Enum.GetValues<Victim>())
            {
                pairs.Add(offender, victim);
            }
        }

        return pairs;
    }
}
