using Backchannel.Tests.Kit;
using Backchannel.Tests.Sidechannels;
using Backchannel.Tests.Transports.Kit;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Transports;

/// <summary>A stream that is aborted while bytes wait to be read gives back all that it had, whoever aborted it first.</summary>
public class AbortedStreamTests
{
    public static TheoryData<TransportKind, YamuxRole, bool> Cases
        => [.. from kind in Enum.GetValues<TransportKind>() from role in Enum.GetValues<YamuxRole>() from peerFirst in (bool[])[false, true] select (kind, role, peerFirst)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Its_place_is_free_at_once_and_nothing_of_it_can_be_read(TransportKind kind, YamuxRole role, bool peerFirst)
    {
        await using var pair = await TransportPair.ConnectAsync(kind, role, options => options.MaxInboundStreams = 1);
        var far = pair.StartFar();
        var (other, stream) = await far.OpenToAsync(pair.Near).Guarded();
        await other.Output.WriteAsync(Content.Bytes(100_000)).Guarded();
        var unread = (await stream.Input.ReadAtLeastAsync(100_000).Guarded()).Buffer;
        stream.Input.AdvanceTo(unread.Start);
        if (peerFirst)
        {
            other.Abort();
            await Guard.Until(() => stream.Closed.IsCancellationRequested, "the reset has come");
        }

        stream.Abort();

        Assert.Equal(0, pair.Near.StreamCount);
        var code = peerFirst ? YamuxErrorCode.StreamReset : YamuxErrorCode.StreamAborted;
        Assert.Equal(code, (await Assert.ThrowsAsync<YamuxException>(() => stream.Input.ReadAsync().Guarded())).ErrorCode);
        Assert.Throws<YamuxException>(() => stream.Input.TryRead(out _));
        await EchoAsync(far, pair.Near);
        pair.AssertNoWarnings();
    }

    // There is no place but the one that was given back.
    private static async Task EchoAsync(YamuxSession from, YamuxSession to)
    {
        var (here, there) = await from.OpenToAsync(to).Guarded();
        await here.Output.WriteAsync(new byte[] { 7 }).Guarded();
        Assert.Equal(1, (await there.Input.ReadAsync().Guarded()).Buffer.Length);
    }
}
