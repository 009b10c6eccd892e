using Interop.Tests.RawYamux;
using Interop.Tests.Support;
using Yamux;

namespace Interop.Tests.JavaScript;

/// <summary>Each side sends and ends its half; what comes after the other half's end is whole all the same.</summary>
public sealed class HalfCloseTests(NodePeerPackage package)
{
    // Less than a window: it can be sent whole before anybody reads.
    private const int Size = 200 * 1024;

    public static TheoryData<Library, YamuxRole, bool> Cases { get; } = new MatrixTheoryData<Library, YamuxRole, bool>(
        [Library.Libp2p, Library.YamuxJs], [YamuxRole.Client, YamuxRole.Server], [false, true]);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task JavaScript_receives_what_we_send_after_its_end(Library library, YamuxRole role, bool opens)
    {
        await using var pair = await JavaScriptPair.StartAsync(package, library, role, "close-first", bytes: Size, opens: opens);
        await using var stream = await OpenOrAcceptAsync(pair, opens);

        var received = await Payload.ReadToEndAsync(stream.Input);
        var sent = await SendAndCloseAsync(stream);

        Assert.Equal(await pair.Peer.RestOfLineAsync("sent "), received);
        Assert.Equal(await pair.Peer.RestOfLineAsync("received "), sent);
        await pair.EndAsync();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task We_receive_what_JavaScript_sends_after_our_end(Library library, YamuxRole role, bool opens)
    {
        await using var pair = await JavaScriptPair.StartAsync(package, library, role, "close-last", bytes: Size, opens: opens);
        await using var stream = await OpenOrAcceptAsync(pair, opens);

        var sent = await SendAndCloseAsync(stream);
        Assert.Equal(await pair.Peer.RestOfLineAsync("received "), sent);

        var received = await Payload.ReadToEndAsync(stream.Input);
        Assert.Equal(await pair.Peer.RestOfLineAsync("sent "), received);
        await pair.EndAsync();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Both_end_without_waiting_for_each_other(Library library, YamuxRole role, bool opens)
    {
        await using var pair = await JavaScriptPair.StartAsync(package, library, role, "close-first", bytes: Size, opens: opens);
        await using var stream = await OpenOrAcceptAsync(pair, opens);

        var sent = await SendAndCloseAsync(stream);
        var received = await Payload.ReadToEndAsync(stream.Input);

        Assert.Equal(await pair.Peer.RestOfLineAsync("sent "), received);
        Assert.Equal(await pair.Peer.RestOfLineAsync("received "), sent);
        await pair.EndAsync();
    }

    private static Task<YamuxStream> OpenOrAcceptAsync(JavaScriptPair pair, bool peerOpens) => peerOpens ? pair.AcceptAsync() : pair.OpenAsync();

    private static async Task<string> SendAndCloseAsync(YamuxStream stream)
    {
        var hash = await Payload.WriteAsync(stream.AsStream(), new Random(7), Size);
        await stream.Output.CompleteAsync();
        return $"{Size} {hash}";
    }
}
