namespace Yamux.Tests.Face;

/// <summary>
/// A session that is being closed and cannot go on: CloseAsync tells that not all that was flushed may have arrived, and why, and the log has a warning. Its end has a bound,
/// whatever the peer does.
/// </summary>
public class GivenUpCloseTests
{
    private const string Warning = "Not all that was flushed may have arrived";

    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task The_transport_takes_no_more()
    {
        await using var t = await NewUnreadAsync();

        var close = t.Session.CloseAsync(TimeSpan.Zero).AsTask();
        t.Peer.End.Input.Complete();
        await t.Time.TimerSetAsync(Linger);
        t.Time.Advance(Linger); // The peer might have closed the session too, and said so.

        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, close);
        t.Log.AssertWarned(Warning);
    }

    [Fact]
    public async Task The_transport_fails()
    {
        await using var t = await NewUnreadAsync();

        var close = t.Session.CloseAsync(TimeSpan.Zero).AsTask();
        t.Peer.Close(new IOException("the cable was pulled"));

        var error = await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, close);
        Assert.Contains("the cable was pulled", error.Message, StringComparison.Ordinal);
        t.Log.AssertWarned(Warning);
    }

    [Fact]
    public async Task The_peer_ends_in_the_middle_of_a_frame()
    {
        await using var t = await NewUnreadAsync();

        var close = t.Session.CloseAsync(TimeSpan.Zero).AsTask();
        await t.Peer.SendRawAsync(new byte[5]);
        t.Peer.Close();

        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, close);
        t.Log.AssertWarned(Warning);
    }

    [Fact]
    public async Task The_peer_breaks_the_protocol_and_is_not_waited_for()
    {
        await using var t = await NewUnreadAsync();

        var close = t.Session.CloseAsync(TimeSpan.Zero).AsTask();
        await t.Peer.SendAsync(Frame.Ping(1) with { Version = 9 });

        await Guard.FailsWithAsync(YamuxErrorCode.ProtocolError, close);
        t.Log.AssertWarned(Warning);
    }

    [Theory]
    [InlineData(1, YamuxErrorCode.RemoteProtocolError)]
    [InlineData(2, YamuxErrorCode.RemoteInternalError)]
    public async Task The_peer_says_that_it_has_failed_and_is_not_waited_for(uint code, YamuxErrorCode told)
    {
        await using var t = await NewUnreadAsync();

        var close = t.Session.CloseAsync(TimeSpan.Zero).AsTask();
        await t.Peer.SendAsync(Frame.GoAway(code));

        await Guard.FailsWithAsync(told, close);
        t.Log.AssertWarned(Warning);
    }

    [Fact]
    public async Task A_peer_that_confirms_nothing_does_not_keep_it_by_pings_of_its_own()
    {
        await using var t = Scenario.Stalled();
        t.ExpectsWarnings = true;
        var close = t.Session.CloseAsync(TimeSpan.Zero).AsTask();
        while (await t.Peer.ReadAsync() is { Kind: not FrameKind.Ping })
        {
            // GoAway, before the ping.
        }

        // Some answers that had to wait may have waited for what was sent before them.
        for (var asked = 1u; asked <= 20; asked++)
        {
            await t.Peer.SendAsync(Frame.Ping(asked));
            var read = await t.Peer.End.Input.ReadAsync().Guarded();
            t.Time.Advance(TimeSpan.FromSeconds(5));
            t.Peer.End.Input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                break;
            }
        }

        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionWriteTimeout, close);
    }

    [Fact]
    public async Task A_session_that_had_failed_tells_that_though_its_peer_does_not_read_why()
    {
        await using var t = Scenario.Stalled();
        await t.Peer.SendAsync(Frame.Ping(1) with { Version = 9 });
        await t.Peer.PeekAsync();
        await t.WriteStartedAsync();

        t.Time.Advance(TimeSpan.FromSeconds(10));
        await Guard.EndedAsync(t.Session.Completion);

        await Guard.FailsWithAsync(YamuxErrorCode.ProtocolError, t.Session.CloseAsync(TimeSpan.Zero).AsTask());
    }

    // It has flushed what its peer does not read.
    private static async Task<Scenario> NewUnreadAsync()
    {
        var t = Scenario.Stalled();
        t.ExpectsWarnings = true;
        var stream = await t.OpenAsync();
        await stream.Output.WriteAsync(new byte[100_000]).Guarded();
        await t.Peer.PeekAsync();
        return t;
    }
}
