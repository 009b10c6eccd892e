namespace Yamux.Tests.Lessons;

/// <summary>WIRE, "Lessons": session death never reads as a clean end (H#92), and close overtakes nothing (H#86, Nerdbank.Streams#88).</summary>
public class TruncationTests
{
    [Theory]
    [InlineData("the peer closes between two frames", YamuxErrorCode.ConnectionLost)]
    [InlineData("the peer closes in a header", YamuxErrorCode.ConnectionLost)]
    [InlineData("the peer closes in a payload", YamuxErrorCode.ConnectionLost)]
    [InlineData("the transport fails", YamuxErrorCode.ConnectionLost)]
    [InlineData("the peer breaks the protocol", YamuxErrorCode.ProtocolError)]
    [InlineData("the peer says it failed", YamuxErrorCode.RemoteInternalError)]
    [InlineData("GoAway 0 and the end", YamuxErrorCode.ConnectionLost)]
    [InlineData("dispose", YamuxErrorCode.SessionClosed)]
    [InlineData("abort", YamuxErrorCode.SessionClosed)]
    public async Task The_death_of_a_session_is_no_end_of_a_stream(string how, YamuxErrorCode code)
    {
        await using var t = Scenario.Client();
        var unread = await t.OpenAsync();
        var waiting = await t.OpenAsync();
        var examined = await t.OpenAsync();
        var finished = await t.OpenAsync();
        var adapter = await t.OpenAsync();
        var copied = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, [1, 2]), Frame.Data(5, [3]), Frame.Data(7, [4], FrameFlag.Fin), Frame.Data(11, [5, 6]));
        await examined.Input.ExamineAsync(1);
        await t.Peer.ExpectNothingAsync();
        var read = waiting.Input.ReadAsync().AsTask();
        var streamRead = adapter.AsStream().ReadAsync(new byte[10]).AsTask();

        await DieAsync(t, how);

        await Guard.FailsWithAsync(code, read);
        await Guard.FailsWithAsync(code, streamRead);
        await Guard.FailsWithAsync(code, examined.Input.ReadAsync());
        await Guard.FailsWithAsync(code, copied.Input.TakeAllAsync());
        var last = await unread.Input.ReadAsync().Guarded();
        Assert.Equal((2, false), (last.Buffer.Length, last.IsCompleted));
        unread.Input.AdvanceTo(last.Buffer.Start);
        Assert.Equal([1, 2], await unread.Input.TakeAsync(2));
        await Guard.FailsWithAsync(code, unread.Input.ReadAsync());
        await Guard.FailsWithAsync(code, unread.Input.ReadAsync());
        Assert.Equal([4], await finished.Input.TakeAllAsync());
        await Guard.FailsWithAsync(code, finished.Output.WriteAsync(new byte[1]));
        Assert.Equal(0, t.Session.StreamCount);
        await Guard.CancelledAsync(unread.Closed);
    }

    [Theory]
    [InlineData("the peer closes between two frames", true)]
    [InlineData("GoAway 0 and the end", true)]
    [InlineData("dispose", true)]
    [InlineData("abort", true)]
    [InlineData("the peer closes in a header", false)]
    [InlineData("the peer closes in a payload", false)]
    [InlineData("the transport fails", false)]
    public async Task Completion_is_faulted_where_the_session_failed_and_only_there(string how, bool succeeds)
    {
        await using var t = Scenario.Client();
        await t.OpenAsync();
        await t.Peer.ExpectNothingAsync();

        await DieAsync(t, how);

        if (succeeds)
        {
            await t.Session.Completion.Guarded();
        }
        else
        {
            await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, t.Session.Completion);
        }
    }

    [Fact]
    public async Task Disposing_a_stream_overtakes_nothing_that_was_written()
    {
        await using var pair = SessionPair.OverPipes(DuplexPipe.Rendezvous);
        var data = Bytes.Pattern(1_000_000);

        foreach (var (client, server) in await pair.OpenAsync(20))
        {
            var received = server.Input.TakeAllAsync();
            data.CopyTo(client.Output.GetSpan(data.Length));
            client.Output.Advance(data.Length);
            await client.DisposeAsync().Guarded();
            Bytes.AssertSame(data, await received);
            await server.DisposeAsync().Guarded();
        }
    }

    [Fact]
    public async Task Disposing_a_session_overtakes_nothing_that_was_flushed()
    {
        for (var round = 0; round < 20; round++)
        {
            await using var pair = SessionPair.OverPipes(DuplexPipe.Rendezvous);
            var streams = await pair.OpenAsync(8);
            var data = Bytes.Pattern(20_000, round);
            var received = streams.Select(both => both.Server.Input.TakeAllAsync()).ToArray();
            foreach (var (client, _) in streams)
            {
                await client.Output.WriteAsync(data).Guarded();
                await client.Output.CompleteAsync();
            }

            await pair.Client.DisposeAsync().Guarded();

            Assert.All(await Task.WhenAll(received), bytes => Bytes.AssertSame(data, bytes));
        }
    }

    private static async Task DieAsync(Scenario t, string how)
    {
        switch (how)
        {
            case "the peer closes between two frames":
                t.Peer.CloseOutput();
                break;
            case "the peer closes in a header":
                await t.Peer.SendRawAsync(Frame.Data(1, []).ToBytes().AsMemory(0, 11));
                t.Peer.CloseOutput();
                break;
            case "the peer closes in a payload":
                await t.Peer.SendAsync(Frame.DataHeader(99, 5));
                t.Peer.CloseOutput();
                break;
            case "the transport fails":
                t.Peer.CloseOutput(new IOException("the cable"));
                break;
            case "the peer breaks the protocol":
                await t.Peer.SendAsync(Frame.Credit(0, 1));
                break;
            case "the peer says it failed":
                await t.Peer.SendAsync(Frame.GoAway(2));
                break;
            case "GoAway 0 and the end":
                await t.Peer.SendAsync(Frame.GoAway(0));
                t.Peer.CloseOutput();
                break;
            case "dispose":
                var dispose = t.Session.DisposeAsync();
                await t.Peer.AnswerCloseAsync();
                await dispose.Guarded();
                break;
            case "abort":
                t.Session.Abort();
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(how), how, "There is no such death.");
        }
    }
}
