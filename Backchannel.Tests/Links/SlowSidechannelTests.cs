using Backchannel.Tests.Links.Kit;
using Backchannel.Tests.Sidechannels;
using Xunit;

namespace Backchannel.Tests.Links;

/// <summary>Sidechannels over slow links, each for a minute: many times as long as a keepalive waits, or Kestrel for the least that it takes for moving.</summary>
[Collection(LinksCollection.Name)]
public class SlowSidechannelTests
{
    private const int Seconds = 60;

    public static TheoryData<int, LinkEnd, bool> OneAlone => Cases(25_000, 100_000, 250_000);

    public static TheoryData<int, LinkEnd, bool> Many => Cases(10_000, 25_000, 100_000);

    [Theory]
    [MemberData(nameof(OneAlone))]
    public async Task A_sidechannel_that_takes_a_minute_finishes(int rate, LinkEnd caller, bool callerSends) => await MoveAsync(rate, caller, callerSends, count: 1);

    [Theory]
    [MemberData(nameof(Many))]
    public async Task Twenty_at_once_open_and_finish(int rate, LinkEnd caller, bool callerSends) => await MoveAsync(rate, caller, callerSends, count: 20);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Twenty_at_once_open_and_finish_over_TLS(bool callerSends) => await MoveAsync(100_000, LinkEnd.Client, callerSends, count: 20, secure: true);

    private static async Task MoveAsync(int rate, LinkEnd caller, bool callerSends, int count, bool secure = false)
    {
        var bytes = Content.Bytes(rate * Seconds / count);
        await using var pair = await LinkedPair.StartAsync(secure);
        (pair.Link.Up, pair.Link.Down) = (new LinkShape(rate), new LinkShape(rate));

        var got = await pair.Link.CarryAsync(callerSends ? pair.UploadAsync(caller, bytes, count) : pair.DownloadAsync(caller, bytes, count));

        Assert.Equal(Enumerable.Repeat(Content.Digest(bytes), count), got);
        Assert.True(pair.Link.Elapsed >= TimeSpan.FromSeconds(Seconds), $"{pair.Link.Elapsed}");
        pair.AssertAlive();
    }

    private static TheoryData<int, LinkEnd, bool> Cases(params int[] rates)
        => [.. from rate in rates
               from caller in Enum.GetValues<LinkEnd>()
               from callerSends in (bool[])[true, false]
               select (rate, caller, callerSends)];
}
