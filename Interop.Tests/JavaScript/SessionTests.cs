using Interop.Tests.RawYamux;
using Interop.Tests.Support;
using Yamux;

namespace Interop.Tests.JavaScript;

/// <summary>Ping, go away, reset, and the end of a session, as far as both libraries do them. What only one does is in its own tests.</summary>
public sealed class SessionTests(NodePeerPackage package)
{
    private const int EchoSize = 64 * 1024;

    public static TheoryData<Library, YamuxRole> Cases => Libraries.InBothRoles;

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Both_ping_many_times(Library library, YamuxRole role)
    {
        await using var pair = await JavaScriptPair.StartAsync(package, library, role, "ping");

        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => pair.PingAsync()));

        Assert.Equal("20", await pair.Peer.RestOfLineAsync("ok ping "));
        await pair.EndAsync();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task After_the_go_away_of_JavaScript_we_open_nothing_and_the_open_stream_goes_on(Library library, YamuxRole role)
    {
        await using var pair = await JavaScriptPair.StartAsync(package, library, role, "go-away-send", bytes: EchoSize);
        await using var stream = await pair.OpenAsync();
        // Its go away was sent before this byte.
        await stream.AsStream().ReadExactlyAsync(new byte[1], TestContext.Current.CancellationToken).Guarded();

        var refused = await Assert.ThrowsAsync<YamuxException>(pair.OpenAsync);

        Assert.Equal(YamuxErrorCode.GoAway, refused.ErrorCode);
        var hash = await Payload.WriteAsync(stream.AsStream(), new Random(7), EchoSize);
        await stream.Output.CompleteAsync();
        Assert.Equal($"{EchoSize} {hash}", await Payload.ReadToEndAsync(stream.Input));
        await pair.EndAsync();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_stream_is_acknowledged_with_the_first_frame_that_JavaScript_has_to_send_and_not_before(Library library, YamuxRole role)
    {
        await using var pair = await JavaScriptPair.StartAsync(package, library, role, "digest", bytes: 1);
        await using var stream = await pair.OpenAsync();

        await pair.PingAsync();
        Assert.Empty(pair.Frames.Received(stream.Id));

        await stream.Output.WriteAsync(new byte[1], TestContext.Current.CancellationToken).Guarded();
        await stream.Output.CompleteAsync();
        await pair.Peer.RestOfLineAsync("received 1 ");
        await pair.PingAsync();
        Assert.Equal([$"WindowUpdate ACK stream {stream.Id} delta 1"], pair.Frames.Received(stream.Id));
        await pair.EndAsync();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task An_abort_of_ours_is_a_reset_to_JavaScript(Library library, YamuxRole role)
    {
        await using var pair = await JavaScriptPair.StartAsync(package, library, role, "reset");
        await using var stream = await pair.OpenAsync();
        await pair.Peer.RestOfLineAsync("accepted");

        stream.Abort();

        await pair.Peer.RestOfLineAsync("reset");
        await pair.EndAsync();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task JavaScript_receives_all_that_we_sent_before_we_closed_the_session(Library library, YamuxRole role)
    {
        // More than one window, so that the end of it waits for credit.
        const int Size = 1024 * 1024;
        await using var pair = await JavaScriptPair.StartAsync(package, library, role, "digest", bytes: Size);
        string hash;
        await using (var stream = await pair.OpenAsync())
        {
            hash = await Payload.WriteAsync(stream.AsStream(), new Random(7), Size);
        }

        await pair.EndAsync();

        Assert.Equal($"{Size} {hash}", await pair.Peer.RestOfLineAsync("received "));
    }
}
