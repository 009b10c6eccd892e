using Interop.Tests.RawYamux;
using Interop.Tests.Support;
using Yamux;

namespace Interop.Tests.JavaScript;

/// <summary>Random bytes there and back, on one stream through several windows and on a hundred at once; hashes compared by the one that sent.</summary>
public sealed class EchoTests(NodePeerPackage package)
{
    private const int Many = 100;

    public static TheoryData<Library, YamuxRole, int> Cases { get; } = new MatrixTheoryData<Library, YamuxRole, int>(
        [Library.Libp2p, Library.YamuxJs], [YamuxRole.Client, YamuxRole.Server], [1, Many]);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task JavaScript_echoes_what_we_send(Library library, YamuxRole role, int streams)
    {
        await using var pair = await JavaScriptPair.StartAsync(package, library, role, "echo", bytes: Size(streams));

        await SendAllAsync(pair.Session, streams);

        await pair.EndAsync();
        Assert.Equal($"{streams}", await pair.Peer.RestOfLineAsync("echoed "));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task We_echo_what_JavaScript_sends(Library library, YamuxRole role, int streams)
    {
        await using var pair = await JavaScriptPair.StartAsync(package, library, role, "send", streams, Size(streams));
        var echoes = Payload.EchoAllAsync(pair.Session);

        await pair.Peer.RestOfLineAsync("ok send");

        await pair.EndAsync();
        Assert.Equal(streams, await echoes.Guarded());
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Both_send_and_echo_at_once(Library library, YamuxRole role, int streams)
    {
        await using var pair = await JavaScriptPair.StartAsync(package, library, role, "duplex", streams, Size(streams));
        var echoes = Payload.EchoAllAsync(pair.Session);

        await SendAllAsync(pair.Session, streams);
        await pair.Peer.RestOfLineAsync("ok send");

        await pair.EndAsync();
        Assert.Equal(streams, await echoes.Guarded());
        Assert.Equal($"{streams}", await pair.Peer.RestOfLineAsync("echoed "));
    }

    private static int Size(int streams) => streams == 1 ? 6 * JavaScriptPair.Window + 1 : 50_001;

    private static Task SendAllAsync(YamuxSession session, int streams)
        => Task.WhenAll(Enumerable.Range(0, streams).Select(index => Payload.SendAsync(session, new Random(index), Size(streams)))).Guarded();
}
