using Backchannel.Tests.Links.Kit;
using Backchannel.Tests.Sidechannels;
using Sidechannel;
using Xunit;

namespace Backchannel.Tests.Links;

/// <summary>Many sidechannels over a link that is far, or has much to carry.</summary>
[Collection(LinksCollection.Name)]
public class FarLinkTests
{
    private static readonly LinkShape Far = new(5_000_000, TimeSpan.FromMilliseconds(50));

    public static TheoryData<LinkEnd, bool> Cases => [.. from caller in Enum.GetValues<LinkEnd>() from callerSends in (bool[])[true, false] select (caller, callerSends)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Sixty_at_once_open_and_finish_at_a_round_trip_of_100_ms(LinkEnd caller, bool callerSends)
    {
        var bytes = Content.Bytes(100_000);
        await using var pair = await LinkedPair.StartAsync(step: TimeSpan.FromMilliseconds(10));
        (pair.Link.Up, pair.Link.Down) = (Far, Far);

        var got = await pair.Link.CarryAsync(callerSends ? pair.UploadAsync(caller, bytes, 60) : pair.DownloadAsync(caller, bytes, 60));

        Assert.Equal(Enumerable.Repeat(Content.Digest(bytes), 60), got);
        pair.AssertAlive();
    }

    [Theory]
    [InlineData(LinkEnd.Client)]
    [InlineData(LinkEnd.Server)]
    public async Task Sixty_are_opened_without_an_acknowledgement_of_any(LinkEnd caller)
    {
        await using var pair = await LinkedPair.StartAsync();
        var (called, opened, open) = (new Countdown(60), new Countdown(60), new TaskCompletionSource());
        pair.ServedFor(caller).Act = async context =>
        {
            called.Arrive();
            await open.Task;
            await using var channel = await context.OpenSidechannelAsync();
        };
        var calls = Enumerable.Range(0, 60).Select(_ => pair.From(caller).CallAsync((_, _) =>
        {
            opened.Arrive();
            return Task.CompletedTask;
        })).ToArray();
        await pair.Link.CarryAsync(called.Reached);

        SetFromCaller(LinkShape.Frozen);
        open.SetResult();
        await pair.Link.CarryAsync(opened.Reached);

        SetFromCaller(LinkShape.Fast);
        await pair.Link.CarryAsync(Task.WhenAll(calls));
        pair.AssertAlive();

        void SetFromCaller(LinkShape shape)
            => (pair.Link.Up, pair.Link.Down) = caller == LinkEnd.Client ? (shape, LinkShape.Fast) : (LinkShape.Fast, shape);
    }

    [Theory]
    [InlineData(LinkEnd.Client, true)]
    [InlineData(LinkEnd.Server, true)]
    public async Task Twenty_of_5_MB_at_1_MB_a_second_open_and_finish(LinkEnd caller, bool callerSends)
    {
        var bytes = Content.Bytes(5_000_000);
        await using var pair = await LinkedPair.StartAsync(step: TimeSpan.FromMilliseconds(50));
        (pair.Link.Up, pair.Link.Down) = (new LinkShape(1_000_000), new LinkShape(1_000_000));

        var got = await pair.Link.CarryAsync(callerSends ? pair.UploadAsync(caller, bytes, 20) : pair.DownloadAsync(caller, bytes, 20));

        Assert.Equal(Enumerable.Repeat(Content.Digest(bytes), 20), got);
        Assert.True(pair.Link.Elapsed >= TimeSpan.FromSeconds(100), $"{pair.Link.Elapsed}");
        pair.AssertAlive();
    }
}
