using Backchannel.Tests.Kit;
using Backchannel.Tests.Links.Kit;
using Backchannel.Tests.Sidechannels;
using Xunit;

namespace Backchannel.Tests.Links;

/// <summary>A link on which nothing moves any more, in the middle of whatever it was. Both ends notice, whoever was to say something.</summary>
[Collection(LinksCollection.Name)]
public class FrozenLinkTests
{
    private static readonly LinkShape Slow = new(100_000);

    public enum UnderWay
    {
        Nothing,
        BytesUp,
        BytesDown,
        BytesBothWays,
    }

    [Theory]
    [InlineData(UnderWay.Nothing, false)]
    [InlineData(UnderWay.BytesUp, false)]
    [InlineData(UnderWay.BytesDown, false)]
    [InlineData(UnderWay.BytesBothWays, false)]
    [InlineData(UnderWay.BytesBothWays, true)]
    public async Task Both_ends_notice_within_20_and_10_seconds(UnderWay underWay, bool secure)
    {
        await using var pair = await LinkedPair.StartAsync(secure);
        var peer = pair.Peer;
        Task[] calls = [pair.FromClient.HangAsync(), pair.FromServer.HangAsync()];
        await pair.Link.CarryAsync(Task.WhenAll(pair.Server.State.Hanging, pair.Client.State.Hanging));
        (pair.Link.Up, pair.Link.Down) = (Slow, Slow);
        if (underWay is UnderWay.BytesUp or UnderWay.BytesBothWays)
        {
            calls = [.. calls, pair.UploadAsync(LinkEnd.Client, Content.Bytes(10_000_000), 1)];
        }

        if (underWay is UnderWay.BytesDown or UnderWay.BytesBothWays)
        {
            calls = [.. calls, pair.UploadAsync(LinkEnd.Server, Content.Bytes(10_000_000), 1)];
        }

        await pair.Link.PassAsync(TimeSpan.FromSeconds(35));
        Assert.DoesNotContain(calls, call => call.IsCompleted); // They live, although the keepalive has had its time.
        pair.AssertAlive();

        (pair.Link.Up, pair.Link.Down) = (LinkShape.Frozen, LinkShape.Frozen);
        await pair.Link.PassAsync(TimeSpan.FromSeconds(20 + 10));

        Assert.True(peer.Completion.IsCompleted);
        Assert.Equal(0, pair.Server.Registry.Count);
        Assert.Equal(0, pair.Client.Host.ConnectionCount);
        Assert.All(calls, call => Assert.True(call.IsCompleted));
        await CallsBothWays.AssertUnavailableAsync(calls[0]);
        await CallsBothWays.AssertUnavailableAsync(calls[1]);
        pair.Server.Log.AssertNoErrors();
        pair.Client.Log.AssertNoErrors();
    }
}
