using Backchannel.Tests.Links.Kit;
using Xunit;

namespace Backchannel.Tests.Links;

/// <summary>gRPC's own streams over a link on which they take many times as long as a keepalive waits. Whatever moves proves life, to both ends.</summary>
[Collection(LinksCollection.Name)]
public class SlowStreamTests
{
    private const int Size = 900_000;
    private static readonly LinkShape Slow = new(10_000);

    [Theory]
    [InlineData(LinkEnd.Client, false)]
    [InlineData(LinkEnd.Client, true)]
    [InlineData(LinkEnd.Server, false)]
    public async Task A_client_stream_of_900_kB_over_10_kB_a_second_finishes(LinkEnd caller, bool secure)
    {
        await using var pair = await LinkedPair.StartAsync(secure);
        (pair.Link.Up, pair.Link.Down) = (Slow, Slow);

        await pair.Link.CarryAsync(pair.From(caller).SendStreamAsync(Size));

        AssertTookItsTime(pair);
    }

    [Theory]
    [InlineData(LinkEnd.Client, false)]
    [InlineData(LinkEnd.Server, false)]
    [InlineData(LinkEnd.Server, true)]
    public async Task A_server_stream_of_900_kB_over_10_kB_a_second_finishes(LinkEnd caller, bool secure)
    {
        await using var pair = await LinkedPair.StartAsync(secure);
        (pair.Link.Up, pair.Link.Down) = (Slow, Slow);

        Assert.Equal(Size, await pair.Link.CarryAsync(pair.From(caller).ReceiveStreamAsync(Size)));

        AssertTookItsTime(pair);
    }

    private static void AssertTookItsTime(LinkedPair pair)
    {
        Assert.True(pair.Link.Elapsed >= TimeSpan.FromSeconds(Size / Slow.BytesPerSecond), $"{pair.Link.Elapsed}");
        pair.AssertAlive();
    }
}
