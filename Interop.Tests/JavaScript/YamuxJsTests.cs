using Interop.Tests.RawYamux;
using Interop.Tests.Support;
using Yamux;

namespace Interop.Tests.JavaScript;

/// <summary>What only yamux-js does, right or wrong, with the frames that docs/interop.md shows.</summary>
public sealed class YamuxJsTests(NodePeerPackage package)
{
    public static TheoryData<YamuxRole> Roles { get; } = [YamuxRole.Client, YamuxRole.Server];

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task After_our_go_away_it_opens_nothing_and_the_open_stream_goes_on(YamuxRole role)
    {
        const int Size = 64 * 1024;
        await using var pair = await StartAsync(role, "go-away-receive", bytes: Size);
        await using var stream = await pair.AcceptAsync();
        await pair.Session.GoAwayAsync(TestContext.Current.CancellationToken).Guarded();
        await stream.Output.WriteAsync(new byte[1], TestContext.Current.CancellationToken).Guarded();

        await pair.Peer.RestOfLineAsync("refused: remote end is not accepting connections");

        var hash = await Payload.WriteAsync(stream.AsStream(), new Random(7), Size);
        await stream.Output.CompleteAsync();
        Assert.Equal($"{Size} {hash}", await Payload.ReadToEndAsync(stream.Input));
        await pair.EndAsync();
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task A_frame_that_comes_in_pieces_is_lost_and_the_session_with_it(YamuxRole role)
    {
        // A frame of ours at its largest: more than Node reads at a time.
        const int Size = 64 * 1024;
        await using var pair = await JavaScriptPair.StartAsync(package, Library.YamuxJs, role, "digest", bytes: Size, asIs: true);
        await using var stream = await pair.OpenAsync();
        await stream.Output.WriteAsync(new byte[Size], TestContext.Current.CancellationToken).Guarded();

        await pair.Session.DisposeAsync().Guarded();

        Assert.Equal("after 0 bytes: Premature close", await pair.Peer.RestOfLineAsync("fail: "));
        Assert.Equal(Size, pair.Frames.Data(stream.Id, received: false));
        Assert.Empty(pair.Frames.Received(stream.Id));
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task It_does_not_notice_our_FIN(YamuxRole role)
    {
        await using var pair = await StartAsync(role, "digest");
        await using var stream = await pair.OpenAsync();
        await stream.Output.WriteAsync(new byte[1000], TestContext.Current.CancellationToken).Guarded();
        await stream.Output.CompleteAsync();
        await pair.PingAsync();

        await pair.Session.DisposeAsync().Guarded();

        Assert.Equal("after 1000 bytes: Premature close", await pair.Peer.RestOfLineAsync("fail: "));
        Assert.Equal([$"WindowUpdate ACK stream {stream.Id} delta 1000"], pair.Frames.Received(stream.Id));
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task It_gives_credit_for_what_nobody_reads(YamuxRole role)
    {
        const int Size = 4 * 1024 * 1024;
        await using var pair = await StartAsync(role, "hold", bytes: Size);
        await using var held = await pair.OpenAsync();

        var hash = await Payload.WriteAsync(held.AsStream(), new Random(7), Size);

        await held.Output.CompleteAsync();
        await using var release = await pair.OpenAsync();
        Assert.Equal($"{Size} {hash}", await pair.Peer.RestOfLineAsync("received "));
        await pair.EndAsync();
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task A_stream_that_it_destroys_is_not_reset(YamuxRole role)
    {
        await using var pair = await StartAsync(role, "abort");
        await using var stream = await pair.OpenAsync();
        await pair.Peer.RestOfLineAsync("aborted");

        // It takes what comes, and credits it, for nobody.
        await Payload.WriteAsync(stream.AsStream(), new Random(7), 4 * JavaScriptPair.Window);
        await pair.PingAsync();

        Assert.False(stream.Closed.IsCancellationRequested);
        Assert.DoesNotContain(pair.Frames.Received(stream.Id), frame => frame.Contains("RST", StringComparison.Ordinal));
        stream.Abort();
        await pair.EndAsync();
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task A_session_that_it_closes_is_not_the_end_of_an_open_stream(YamuxRole role)
    {
        await using var pair = await StartAsync(role, "close");
        await using var stream = await pair.OpenAsync();
        await stream.Output.WriteAsync(new byte[1], TestContext.Current.CancellationToken).Guarded();

        var read = stream.AsStream().ReadAsync(new byte[1], TestContext.Current.CancellationToken);

        var failure = await Assert.ThrowsAsync<YamuxException>(() => read.Guarded());
        Assert.Equal(YamuxErrorCode.ConnectionLost, failure.ErrorCode);
        Assert.Equal("GoAway code 0", pair.Frames.Received(0).Last());
        Assert.Equal([$"WindowUpdate ACK stream {stream.Id} delta 1"], pair.Frames.Received(stream.Id));
        await pair.EndAsync();
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task The_257th_stream_is_refused_though_the_others_have_ended(YamuxRole role)
    {
        await using var pair = await StartAsync(role, "echo", bytes: 1);
        for (var i = 0; i < 256; i++)
        {
            await Payload.SendAsync(pair.Session, new Random(i), 1);
        }

        Assert.Equal(0, pair.Session.StreamCount);
        await using var stream = await pair.OpenAsync();
        var read = stream.AsStream().ReadAsync(new byte[1], TestContext.Current.CancellationToken);

        var failure = await Assert.ThrowsAsync<YamuxException>(() => read.Guarded());
        Assert.Equal(YamuxErrorCode.StreamReset, failure.ErrorCode);
        Assert.Equal([$"WindowUpdate RST stream {stream.Id} delta 0"], pair.Frames.Received(stream.Id));
    }

    private Task<JavaScriptPair> StartAsync(YamuxRole role, string scenario, int? bytes = null)
        => JavaScriptPair.StartAsync(package, Library.YamuxJs, role, scenario, bytes: bytes);
}
