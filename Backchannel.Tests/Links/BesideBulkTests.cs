using Backchannel.Tests.Grpc;
using Backchannel.Tests.Links.Kit;
using Backchannel.Tests.Sidechannels;
using Xunit;

namespace Backchannel.Tests.Links;

/// <summary>What is small does not stand behind the bulk of others where a link is slow: on the client's socket, its TLS, and the server's pipes.</summary>
[Collection(LinksCollection.Name)]
public class BesideBulkTests
{
    private const int Rate = 100_000;
    private const int Buffer = 16 * 1024;

    // And what stands in the link, which is not ours to shorten: the system doubles its buffer.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2 + (2.0 * Buffer / Rate));

    public static TheoryData<LinkEnd, bool> Cases => [.. from sender in Enum.GetValues<LinkEnd>() from secure in (bool[])[true, false] select (sender, secure)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_ping_and_a_call_beside_four_that_send_over_100_kB_a_second_take_less_than_2_seconds(LinkEnd sender, bool secure)
    {
        await using var pair = await LinkedPair.StartAsync(secure, buffer: Buffer);
        (pair.Link.Up, pair.Link.Down) = (new LinkShape(Rate), new LinkShape(Rate));
        var bulk = pair.UploadAsync(sender, Content.Bytes(1_000_000), 4);
        await pair.Link.PassAsync(TimeSpan.FromSeconds(10));

        for (var i = 0; i < 3; i++)
        {
            Assert.InRange(await TimeAsync(pair, pair.Peer.Session.PingAsync().AsTask()), TimeSpan.Zero, Limit);
            Assert.InRange(await TimeAsync(pair, pair.From(sender).EchoAsync()), TimeSpan.Zero, Limit);
        }

        Assert.False(bulk.IsCompleted);
        await pair.Link.CarryAsync(bulk);
        pair.AssertAlive();
    }

    private static async Task<TimeSpan> TimeAsync(LinkedPair pair, Task task)
    {
        var before = pair.Link.Elapsed;
        await pair.Link.CarryAsync(task);
        return pair.Link.Elapsed - before;
    }
}
