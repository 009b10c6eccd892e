using Backchannel.Tests.Kit;
using Backchannel.Tests.Transports.Kit;
using Microsoft.Extensions.Logging;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Transports;

/// <summary>A session is closed whose peer reads nothing: what it gives up at last is told.</summary>
public class GivenUpCloseTests
{
    public static TheoryData<TransportKind, YamuxRole> Cases => TransportPair.Cases;

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task CloseAsync_throws_when_the_peer_does_not_confirm_what_was_flushed(TransportKind kind, YamuxRole role)
    {
        await using var pair = await TransportPair.ConnectAsync(kind, role, options => options.EnableKeepAlive = false);
        await FlushAsync(pair);

        var closing = pair.Near.CloseAsync(TimeSpan.Zero).AsTask();
        await pair.AdvanceUntilAsync(closing);

        Assert.Equal(YamuxErrorCode.ConnectionWriteTimeout, (await Assert.ThrowsAsync<YamuxException>(() => closing)).ErrorCode);
        Assert.True(pair.Near.Completion.IsCompletedSuccessfully);
        await pair.ExpectSocketClosedAsync();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task DisposeAsync_logs_a_warning_when_the_peer_does_not_confirm_what_was_flushed(TransportKind kind, YamuxRole role)
    {
        await using var pair = await TransportPair.ConnectAsync(kind, role, options => options.EnableKeepAlive = false);
        await FlushAsync(pair);

        var closing = pair.Near.DisposeAsync().AsTask();
        await pair.AdvanceUntilAsync(closing);
        await closing;

        Assert.Equal("CloseGivenUp", Assert.Single(pair.Log.Lines, line => line.Level >= LogLevel.Warning).Event.Name);
        await pair.ExpectSocketClosedAsync();
    }

    private static async Task FlushAsync(TransportPair pair)
    {
        var stream = await pair.Near.OpenStreamAsync();
        await stream.Output.WriteAsync(new byte[200_000]).Guarded();
    }
}
