namespace Yamux.Tests.Telemetry;

/// <summary>Streams and sessions that end in several ways at once: what is active returns to zero, and each stream was opened once and reset at most once at each end.</summary>
public class MetricRaceTests
{
    private const int Streams = 24;
    private const string Direction = "yamux.stream.direction";

    [Theory]
    [InlineData("closed")]
    [InlineData("aborted")]
    [InlineData("both aborted")]
    [InlineData("kept")]
    public async Task Active_counts_return_to_zero_when_the_session_is(string ended)
    {
        using var meters = new TestMeters();
        using var sessions = meters.Collect<long>("yamux.sessions.active");
        using var streams = meters.Collect<long>("yamux.streams.active");
        using var opened = meters.Collect<long>("yamux.streams.opened");
        using var resets = meters.Collect<long>("yamux.streams.reset");
        int made;
        await using (var pair = SessionPair.OverPipes(configure: options => options.MeterFactory = meters))
        {
            pair.ExpectsWarnings = true; // What is closed at one end and aborted at the other may be lost.
            var accepting = AcceptAsync(pair.Server);
            var opening = Enumerable.Range(0, Streams).Select(i => Task.Run(() => OpenAsync(pair.Client, i))).ToArray();
            if (ended != "kept")
            {
                await opening[0];
                await EndAsync(pair, ended);
            }

            made = (await Task.WhenAll(opening).Guarded()).Count(isOpened => isOpened);
            pair.Client.Abort();
            pair.Server.Abort();
            await accepting.Guarded();
        }

        Assert.Equal(0, sessions.Sum());
        Assert.Equal((0, 0), (streams.Sum(Direction, "outbound"), streams.Sum(Direction, "inbound")));
        Assert.Equal(made, opened.Sum(Direction, "outbound"));
        Assert.InRange(opened.Sum(Direction, "inbound"), 0, made);
        Assert.InRange(resets.Sum(), 0, 2 * made);
    }

    [Fact]
    public async Task Sessions_that_begin_at_once_share_one_meter_and_its_instruments()
    {
        for (var round = 0; round < 100; round++)
        {
            using var meters = new TestMeters();
            using var sessions = meters.Collect<long>("yamux.sessions.active");
            using var both = new Barrier(2);
            Task<Scenario> BeginAsync() => Task.Factory.StartNew(
                () =>
                {
                    both.SignalAndWait();
                    return Scenario.Client(options => options.MeterFactory = meters);
                },
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default);

            var begun = await Task.WhenAll(BeginAsync(), BeginAsync()).Guarded();

            Assert.Equal(1, meters.Count);
            Assert.Equal(2, sessions.Sum());
            await begun[0].DisposeAsync();
            await begun[1].DisposeAsync();
        }
    }

    private static async Task EndAsync(SessionPair pair, string ending)
    {
        switch (ending)
        {
            case "closed":
                await pair.Client.DisposeAsync().Guarded();
                break;
            case "aborted":
                pair.Server.Abort();
                break;
            default:
                await Task.WhenAll(Task.Run(() => pair.Client.Abort()), Task.Run(() => pair.Server.Abort())).Guarded();
                break;
        }
    }

    // False: the session had ended.
    private static async Task<bool> OpenAsync(YamuxSession session, int number)
    {
        try
        {
            var stream = await session.OpenStreamAsync().Guarded();
            try
            {
                await UseAsync(stream, number);
            }
            catch (Exception error) when (error is YamuxException or ObjectDisposedException)
            {
                // The other end, or the session, was first.
            }

            return true;
        }
        catch (Exception error) when (error is YamuxException or ObjectDisposedException)
        {
            return false;
        }
    }

    private static async Task AcceptAsync(YamuxSession session)
    {
        var used = new List<Task>();
        try
        {
            for (var i = 0; await session.AcceptStreamAsync() is { } stream; i++)
            {
                var number = i + 1;
                used.Add(Task.Run(async () =>
                {
                    try
                    {
                        await UseAsync(stream, number);
                    }
                    catch (Exception error) when (error is YamuxException or ObjectDisposedException)
                    {
                        // As above.
                    }
                }));
            }
        }
        catch (YamuxException)
        {
            // The session has failed.
        }

        await Task.WhenAll(used).Guarded();
    }

    private static async Task UseAsync(YamuxStream stream, int number)
    {
        await stream.WriteAsync(new byte[100]).Guarded();
        switch (number % 3)
        {
            case 0:
                stream.Abort();
                break;
            case 1:
                await stream.DisposeAsync().Guarded();
                break;
            default:
                await Task.WhenAll(Task.Run(() => stream.Abort()), Task.Run(async () => await stream.DisposeAsync())).Guarded();
                break;
        }
    }
}
