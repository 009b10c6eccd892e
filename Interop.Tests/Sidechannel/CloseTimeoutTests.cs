using System.Text;
using Sidechannel;
using Yamux;
using Yamux.Tests.Kit;

namespace Interop.Tests.Sidechannel;

/// <summary>
/// The yamux of Workhorse and gitlab-shell resets a stream 1 s after it closed it, if we have not closed it by then. Debian's
/// knows no such timeout, so the caller is played here frame by frame, and the second passes at once.
/// </summary>
public sealed class CloseTimeoutTests
{
    private const int Window = 256 * 1024;
    private const uint StreamId = 2;
    private const int HelloSize = 19;

    // Two whole packets, fragmented as Go does it: the length alone, then what it counts.
    private static readonly byte[][] Pieces = [new byte[65_516], Encoding.ASCII.GetBytes("the last bytes")];

    [Fact]
    public async Task A_handler_that_has_read_nothing_yet_reads_every_byte_and_the_end()
    {
        var (session, caller, channel) = await OpenAsync();
        await using var owned = session;

        await SendAllAsync(caller);
        await caller.SendAsync(Frame.Rst(StreamId));
        await caller.ExpectNothingAsync();

        Assert.Equal(Pieces.SelectMany(piece => piece), await ReadToEndAsync(channel));
        await channel.DisposeAsync().Guarded();
        await caller.ExpectNothingAsync();
        Assert.Equal(0, session.StreamCount);
    }

    [Fact]
    public async Task A_handler_that_waits_for_more_reads_every_byte_and_the_end()
    {
        var (session, caller, channel) = await OpenAsync();
        await using var owned = session;
        var reading = ReadToEndAsync(channel);

        await SendAllAsync(caller);
        Assert.Equal(Pieces.SelectMany(piece => piece), await reading);
        await caller.SendAsync(Frame.Rst(StreamId));
        await caller.ExpectNothingAsync();

        Assert.Equal(0, await channel.ReadAsync(new byte[1]).Guarded());
        await channel.DisposeAsync().Guarded();
        Assert.Equal(0, session.StreamCount);
    }

    [Fact]
    public async Task A_handler_that_is_still_writing_fails_and_could_read_to_the_end()
    {
        var (session, caller, channel) = await OpenAsync();
        await using var owned = session;
        var writing = channel.WriteAsync(new byte[2 * Window]).AsTask();
        await caller.ReadDataAsync(StreamId, Window - HelloSize);

        await SendAllAsync(caller);
        await caller.SendAsync(Frame.Rst(StreamId));

        await Guard.FailsWithAsync(YamuxErrorCode.StreamReset, writing);
        await Guard.FailsWithAsync(YamuxErrorCode.StreamReset, channel.WriteAsync(new byte[1]).AsTask());
        Assert.Equal(Pieces.SelectMany(piece => piece), await ReadToEndAsync(channel));
        await channel.DisposeAsync().Guarded();
        Assert.Equal(0, session.StreamCount);
    }

    [Fact]
    public async Task A_caller_that_fails_before_its_end_is_no_end()
    {
        var (session, caller, channel) = await OpenAsync();
        await using var owned = session;

        await caller.SendAsync(Frame.Data(StreamId, "0006a"u8.ToArray()), Frame.Fin(StreamId), Frame.Rst(StreamId));

        var buffer = new byte[10];
        Assert.Equal(1, await channel.ReadAsync(buffer).Guarded());
        var failure = await Assert.ThrowsAsync<SidechannelException>(() => channel.ReadAsync(buffer).Guarded());
        Assert.Equal(SidechannelErrorCode.Truncated, failure.ErrorCode);
        await channel.DisposeAsync().Guarded();
        Assert.Equal(0, session.StreamCount);
    }

    /// <summary>A server of ours, and the sidechannel 7 of the caller whose frames the test sends.</summary>
    private static async Task<(YamuxSession Session, ScriptedPeer Caller, SidechannelStream Channel)> OpenAsync()
    {
        var (ours, theirs) = DuplexPipe.CreatePair();
        var options = new YamuxOptions { InitialStreamWindowSize = Window, MaxStreamWindowSize = Window, EnableKeepAlive = false };
        var session = YamuxSession.Create(ours, YamuxRole.Server, options);
        var caller = new ScriptedPeer(theirs);

        var opening = session.OpenSidechannelAsync(7).AsTask();
        await caller.ExpectAsync(Frame.Syn(StreamId));
        await caller.SendAsync(Frame.Ack(StreamId));
        Assert.Equal("sidechannel\0\0\0\0\0\0\0\a", Encoding.ASCII.GetString(await caller.ReadDataAsync(StreamId, HelloSize)));
        await caller.SendAsync(Frame.Data(StreamId, "ok"u8.ToArray()));
        return (session, caller, await opening.Guarded());
    }

    private static async Task SendAllAsync(ScriptedPeer caller)
    {
        foreach (var piece in Pieces)
        {
            await caller.SendAsync(Frame.Data(StreamId, Encoding.ASCII.GetBytes($"{piece.Length + 4:x4}")), Frame.Data(StreamId, piece));
        }

        await caller.SendAsync(Frame.Data(StreamId, "0000"u8.ToArray()), Frame.Fin(StreamId));
    }

    private static async Task<byte[]> ReadToEndAsync(SidechannelStream channel)
    {
        using var bytes = new MemoryStream();
        await channel.CopyToAsync(bytes).Guarded();
        return bytes.ToArray();
    }
}
