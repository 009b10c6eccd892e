namespace Yamux.Tests.Sending;

/// <summary>The ping behind the last frame of a session: its own answer, and no other, says that the peer has everything.</summary>
public class ClosingPingTests
{
    private readonly TestTime _time = new();

    [Fact]
    public Task The_answer_to_a_keepalive_ping_does_not_confirm()
        => ExpectUnconfirmedAsync(FixedWindows, _ =>
        {
            _time.Advance(TimeSpan.FromSeconds(30));
            return Task.CompletedTask;
        });

    [Fact]
    public Task The_answer_to_a_ping_that_measures_the_round_trip_does_not_confirm()
        => ExpectUnconfirmedAsync(options => options.EnableKeepAlive = false, session => session.OpenStreamAsync().AsTask());

    [Fact]
    public Task The_answer_to_a_ping_between_Data_does_not_confirm()
        => ExpectUnconfirmedAsync(FixedWindows, async session =>
        {
            var stream = await session.OpenStreamAsync().Guarded();
            await stream.Output.WriteAsync(new byte[100_000]).Guarded();
        });

    [Fact]
    public Task The_answer_to_a_ping_of_the_users_does_not_confirm()
        => ExpectUnconfirmedAsync(FixedWindows, session =>
        {
            _ = Guard.EndedAsync(session.PingAsync().AsTask());
            return Task.CompletedTask;
        });

    private static void FixedWindows(YamuxOptions options) => options.FixWindows(262_144);

    // The session has sent its last frame, and waits for nothing but the answer, when the wrong one has come.
    private async Task ExpectUnconfirmedAsync(Action<YamuxOptions> configure, Func<YamuxSession, Task> provokePing)
    {
        var options = new YamuxOptions { TimeProvider = _time };
        configure(options);
        var (ours, theirs) = DuplexPipe.CreatePair();
        var sent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answered = new TaskCompletionSource<bool>();
        var session = YamuxSession.Create(
            new RecordingTransport(ours)
            {
                ShutdownSend = _ =>
                {
                    sent.SetResult();
                    return new ValueTask<bool>(answered.Task);
                },
            },
            YamuxRole.Client,
            options);
        var peer = new ScriptedPeer(theirs);
        await provokePing(session).Guarded();
        var earlier = await ReadUntilAsync(peer, frame => frame == Frame.Ping(frame.Length));

        var disposal = session.DisposeAsync().AsTask();
        await ReadUntilAsync(peer, frame => frame == Frame.GoAway(0));
        var last = await peer.ReadAsync();
        Assert.Equal(Frame.Ping(last.Length), last);
        await sent.Task.Guarded();
        await peer.SendAsync(Frame.Pong(earlier.Length));
        await peer.ExpectNothingAsync();
        answered.SetResult(false);
        await peer.ExpectNothingAsync();
        Assert.False(disposal.IsCompleted);

        await peer.SendAsync(Frame.Pong(last.Length));
        await peer.ExpectEndAsync();
        await disposal.Guarded();
    }

    private static async Task<Frame> ReadUntilAsync(ScriptedPeer peer, Func<Frame, bool> isWanted)
    {
        while (true)
        {
            var frame = await peer.ReadAsync();
            if (isWanted(frame))
            {
                return frame;
            }
        }
    }
}
