namespace Yamux.Tests.Telemetry;

/// <summary>docs/telemetry.md, "Yamux": what the transport brings and takes.</summary>
public sealed class TransportMetricTests : IDisposable
{
    private const string Direction = "network.io.direction";

    private readonly TestMeters _meters = new();

    public void Dispose() => _meters.Dispose();

    [Fact]
    public async Task Bytes_are_those_of_whole_frames()
    {
        using var bytes = _meters.Collect<long>("yamux.transport.io");
        await using var t = Scenario.Client(Configure);
        var stream = await t.OpenAsync();
        await stream.WriteAsync(new byte[1000]).Guarded();
        await t.Peer.ReadDataAsync(1, 1000);
        await t.Peer.SendAsync(Frame.Data(1, new byte[100]));
        await t.Peer.SendRawAsync(new byte[5]);
        t.Peer.CloseOutput();
        await Guard.EndedAsync(t.Session.Completion); // From then on all is counted.

        Assert.Equal(12 + 12 + 1000, bytes.Sum(Direction, "transmit"));
        Assert.Equal(12 + 12 + 100 + 5, bytes.Sum(Direction, "receive"));
        Assert.Equal(t.Session.BytesReceived, bytes.Sum(Direction, "receive"));
    }

    [Fact]
    public async Task What_both_ends_count_is_the_same()
    {
        const int Count = 3_000_000;
        using var bytes = _meters.Collect<long>("yamux.transport.io");
        await using (var pair = SessionPair.OverPipes(configure: Configure))
        {
            var (client, server) = (await pair.OpenAsync(1))[0];
            var read = server.AsStream().CopyToAsync(Stream.Null);
            await client.WriteAsync(new byte[Count], completeWrites: true).Guarded();
            await read.Guarded();
            await server.DisposeAsync().Guarded();
            await Guard.CancelledAsync(client.Closed);
            await Task.WhenAll(pair.Client.DisposeAsync().AsTask(), pair.Server.Completion).Guarded();
        }

        Assert.InRange(bytes.Sum(Direction, "receive"), Count, Count + 10_000);
        Assert.Equal(bytes.Sum(Direction, "transmit"), bytes.Sum(Direction, "receive"));
    }

    [Fact]
    public async Task A_write_has_as_many_frames_as_waited_for_it()
    {
        using var frames = _meters.Collect<long>("yamux.transport.write.frames");
        await using var t = Scenario.Stalled(configure: Configure);
        await t.Session.OpenStreamAsync().Guarded();
        await t.Peer.PeekAsync();
        for (var i = 0; i < 3; i++)
        {
            await t.Session.OpenStreamAsync().Guarded();
        }

        await t.Peer.ExpectAsync(Frame.Syn(1), Frame.Syn(3), Frame.Syn(5), Frame.Syn(7));
        t.Session.Abort();
        await Guard.EndedAsync(t.Session.Completion);

        Assert.Equal([1, 3], frames.Values());
    }

    [Fact]
    public async Task A_frame_counts_in_the_write_in_which_it_begins()
    {
        using var frames = _meters.Collect<long>("yamux.transport.write.frames");
        await using var t = Scenario.Stalled(configure: Configure);
        var (first, second) = await OpenTwoAsync(t);
        var before = frames.Values().Length;
        await t.Session.OpenStreamAsync().Guarded();
        await t.Peer.PeekAsync();

        // The first write, of 16 KiB, ends in the header of the second frame.
        await first.WriteAsync(new byte[(16 * 1024) - 18]).Guarded();
        await second.WriteAsync(new byte[2000]).Guarded();
        await t.Peer.ExpectAsync(Frame.Syn(5));
        await t.Peer.ReadDataAsync(1, (16 * 1024) - 18);
        await t.Peer.ReadDataAsync(3, 2000);
        t.Session.Abort();
        await Guard.EndedAsync(t.Session.Completion);

        Assert.Equal([1, 2, 0], frames.Values()[before..]);
    }

    [Fact]
    public async Task Who_listens_in_the_middle_of_a_frame_sees_the_next_round()
    {
        await using var t = Scenario.Stalled(configure: Configure);
        var (first, second) = await OpenTwoAsync(t);
        await first.WriteAsync(new byte[32 * 1024]).Guarded();
        await t.Peer.PeekAsync();
        using var frames = _meters.Collect<long>("yamux.transport.write.frames");
        await second.WriteAsync(new byte[2000]).Guarded();

        await t.Peer.ReadDataAsync(1, 32 * 1024);
        await t.Peer.ReadDataAsync(3, 2000);
        t.Session.Abort();
        await Guard.EndedAsync(t.Session.Completion);

        Assert.Equal([1], frames.Values());
    }

    private static async Task<(YamuxStream First, YamuxStream Second)> OpenTwoAsync(Scenario t)
    {
        var streams = (await t.OpenAsync(), await t.OpenAsync());
        await t.Peer.ExpectNothingAsync();
        return streams;
    }

    private void Configure(YamuxOptions options) => options.MeterFactory = _meters;
}
