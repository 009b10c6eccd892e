using Backchannel.Tests.Links.Kit;
using Backchannel.Tests.Sidechannels;
using Backchannel.Tests.Transports.Kit;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Transports;

/// <summary>A session that is closed while most of what was flushed is still on its way: it ends when the peer has it, and not before.</summary>
[Collection(LinksCollection.Name)]
public class SlowLinkCloseTests
{
    public static TheoryData<TransportKind, YamuxRole> Cases => TransportPair.Cases;

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task All_arrives_at_a_peer_that_reads_8_KiB_in_10_ms_though_stream_and_session_are_disposed_at_once(TransportKind kind, YamuxRole role)
    {
        await using var pair = await TransportPair.ConnectOverLinkAsync(kind, role, step: TimeSpan.FromMilliseconds(10));
        var far = pair.StartFar();
        var (stream, other) = await pair.Link.CarryAsync(pair.Near.OpenToAsync(far));
        (pair.Link.Up, pair.Link.Down) = (new LinkShape(800 * 1024), new LinkShape(800 * 1024));
        var bytes = Content.Bytes(1_000_000);

        var received = other.ReadToEndAsync();
        await pair.Link.CarryAsync(WriteAndCloseAsync(pair.Near, stream, bytes));

        Assert.Equal(Content.Digest(bytes), Content.Digest(await pair.Link.CarryAsync(received)));
        await pair.Link.CarryAsync(far.Completion);
        pair.AssertNoWarnings();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Closing_goes_on_as_long_as_bytes_move(TransportKind kind, YamuxRole role)
    {
        const int Rate = 45_000; // What the session and the kernel hold at the end takes longer than the timeout, and a frame, of 64 KiB at first, does not.
        await using var pair = await TransportPair.ConnectOverLinkAsync(
            kind, role, step: TimeSpan.FromMilliseconds(50), options => options.ConnectionWriteTimeout = TimeSpan.FromSeconds(2));
        var far = pair.StartFar();
        var (stream, other) = await pair.Link.CarryAsync(pair.Near.OpenToAsync(far));
        (pair.Link.Up, pair.Link.Down) = (new LinkShape(Rate), new LinkShape(Rate));
        var bytes = Content.Bytes(300_000);

        var received = other.ReadToEndAsync();
        await pair.Link.CarryAsync(WriteAndCloseAsync(pair.Near, stream, bytes));

        Assert.Equal(Content.Digest(bytes), Content.Digest(await pair.Link.CarryAsync(received)));
        Assert.True(pair.Link.Elapsed >= TimeSpan.FromSeconds(bytes.Length / Rate), $"{pair.Link.Elapsed}");
        await pair.Link.CarryAsync(far.Completion);
        pair.AssertNoWarnings();
    }

    private static async Task WriteAndCloseAsync(YamuxSession session, YamuxStream stream, byte[] bytes)
    {
        await stream.Output.WriteAsync(bytes);
        await stream.DisposeAsync();
        await session.DisposeAsync();
    }
}
