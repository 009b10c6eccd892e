using System.Net.Sockets;
using Interop.Tests.RawYamux;
using Interop.Tests.Support;
using Yamux;

namespace Interop.Tests.JavaScript;

/// <summary>What only js-libp2p's yamux does, right or wrong, with the frames that docs/interop.md shows.</summary>
public sealed class Libp2pTests(NodePeerPackage package)
{
    public static TheoryData<YamuxRole> Roles { get; } = [YamuxRole.Client, YamuxRole.Server];

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task An_abort_of_its_own_is_a_reset_to_us(YamuxRole role)
    {
        await using var pair = await StartAsync(role, "abort");
        await using var stream = await pair.OpenAsync();

        var read = stream.AsStream().ReadExactlyAsync(new byte[1], TestContext.Current.CancellationToken);

        var failure = await Assert.ThrowsAsync<YamuxException>(() => read.Guarded());
        Assert.Equal(YamuxErrorCode.StreamReset, failure.ErrorCode);
        Assert.Equal([$"WindowUpdate RST stream {stream.Id} delta 0"], pair.Frames.Received(stream.Id));
        await pair.EndAsync();
    }

    /// <summary>Its transport closes the socket before it writes the go away.</summary>
    [Theory]
    [MemberData(nameof(Roles))]
    public async Task A_session_that_it_closes_ends_its_streams_and_then_the_connection_without_a_go_away(YamuxRole role)
    {
        await using var pair = await StartAsync(role, "close");
        await using var stream = await pair.OpenAsync();
        await stream.Output.WriteAsync(new byte[1], TestContext.Current.CancellationToken).Guarded();

        Assert.Equal(0, await stream.AsStream().ReadAsync(new byte[1], TestContext.Current.CancellationToken).Guarded());
        await HangGuard.LostAsync(pair.Session.Completion);

        var refused = await Assert.ThrowsAsync<YamuxException>(pair.OpenAsync);
        Assert.Equal(YamuxErrorCode.ConnectionLost, refused.ErrorCode);
        Assert.DoesNotContain(pair.Frames.Received(0), frame => frame.StartsWith("GoAway", StringComparison.Ordinal));
        Assert.Equal($"WindowUpdate FIN stream {stream.Id} delta 0", pair.Frames.Received(stream.Id).Last());
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task A_session_that_it_closes_while_a_stream_waits_for_credit_ends_the_connection_without_a_word(YamuxRole role)
    {
        await using var pair = await StartAsync(role, "close-stalled", bytes: 2 * JavaScriptPair.Window);
        await using var stream = await pair.AcceptAsync();

        await HangGuard.LostAsync(pair.Session.Completion);

        var lost = await Assert.ThrowsAsync<YamuxException>(() => Payload.ReadToEndAsync(stream.Input));
        Assert.Equal(YamuxErrorCode.ConnectionLost, lost.ErrorCode);
        Assert.Equal(JavaScriptPair.Window, pair.Frames.Data(stream.Id, received: true));
        Assert.DoesNotContain(
            pair.Frames.Received(0).Concat(pair.Frames.Received(stream.Id)),
            frame => frame.Contains("GoAway", StringComparison.Ordinal) || frame.Contains("FIN", StringComparison.Ordinal) || frame.Contains("RST", StringComparison.Ordinal));
    }

    /// <summary>What runs should go on. It ends all instead, and our streams must not take that for their end.</summary>
    [Theory]
    [MemberData(nameof(Roles))]
    public async Task Our_go_away_ends_its_streams_without_a_word_and_the_connection(YamuxRole role)
    {
        await using var pair = await StartAsync(role, "go-away-receive", bytes: 1000);
        await using var stream = await pair.AcceptAsync();
        await pair.Session.GoAwayAsync(TestContext.Current.CancellationToken).Guarded();

        var read = stream.AsStream().ReadAsync(new byte[1], TestContext.Current.CancellationToken);

        var failure = await Assert.ThrowsAsync<YamuxException>(() => read.Guarded());
        Assert.Equal(YamuxErrorCode.ConnectionLost, failure.ErrorCode);
        Assert.Equal("stream reset", await pair.Peer.RestOfLineAsync("fail: "));
        Assert.DoesNotContain(pair.Frames.Received(stream.Id), frame => frame.Contains("FIN", StringComparison.Ordinal) || frame.Contains("RST", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task A_connection_that_ends_too_early_is_the_end_of_a_stream_to_it(YamuxRole role)
    {
        await using var pair = await StartAsync(role, "digest");
        await using var stream = await pair.OpenAsync();
        var hash = await Payload.WriteAsync(stream.AsStream(), new Random(7), 1000);
        await pair.PingAsync();

        pair.Socket.Shutdown(SocketShutdown.Send);

        // Whole, as far as it can tell, though no FIN has come.
        Assert.Equal($"1000 {hash}", await pair.Peer.RestOfLineAsync("received "));
    }

    private Task<JavaScriptPair> StartAsync(YamuxRole role, string scenario, int? bytes = null)
        => JavaScriptPair.StartAsync(package, Library.Libp2p, role, scenario, bytes: bytes);
}
