using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Interop.Tests.Support;
using Yamux;

namespace Interop.Tests.JavaScript;

/// <summary>One session of ours whose far end is a JavaScript library, over loopback TCP. The far end plays the named scenario; the yamux client dials.</summary>
internal sealed class JavaScriptPair : IAsyncDisposable
{
    private JavaScriptPair(NodePeer peer, Socket socket, YamuxRole role)
    {
        Peer = peer;
        Socket = socket;
        // Windows that do not grow, so that a window is a number that a test can name.
        var options = new YamuxOptions { MaxStreamWindowSize = Window, EnableKeepAlive = false };
        Session = YamuxSession.Create(new RecordingStream(socket, Frames), role, options);
    }

    public static int Window => 256 * 1024;

    public NodePeer Peer { get; }

    public Socket Socket { get; }

    public YamuxSession Session { get; }

    public FrameLog Frames { get; } = new();

    /// <param name="package">Where the programs are.</param>
    /// <param name="library">What the far end runs on.</param>
    /// <param name="role">Ours.</param>
    /// <param name="scenario">What the far end plays.</param>
    /// <param name="streams">How many streams it opens, in a scenario that opens many.</param>
    /// <param name="bytes">How much a stream carries; null: as much as comes.</param>
    /// <param name="opens">Whether it opens the stream of a half-close scenario rather than accept it.</param>
    /// <param name="window">The window of its streams; null: as the library has it.</param>
    /// <param name="asIs">Whether yamux-js is to do without help in reading frames.</param>
    public static async Task<JavaScriptPair> StartAsync(
        NodePeerPackage package, Library library, YamuxRole role, string scenario,
        int streams = 1, int? bytes = null, bool opens = false, int? window = null, bool asIs = false)
    {
        List<string> arguments =
        [
            "--library", library.Name(),
            "--role", role == YamuxRole.Client ? "server" : "client",
            "--scenario", scenario,
            "--streams", streams.ToString(CultureInfo.InvariantCulture),
            .. Option("--bytes", bytes),
            .. Option("--window", window),
        ];
        if (opens)
        {
            arguments.Add("--opens");
        }

        if (asIs)
        {
            arguments.Add("--as-is");
        }

        return role == YamuxRole.Client ? await ConnectAsync(package, arguments) : await ListenAsync(package, arguments);
    }

    public Task<YamuxStream> OpenAsync() => Session.OpenStreamAsync(TestContext.Current.CancellationToken).Guarded();

    public async Task<YamuxStream> AcceptAsync()
    {
        var stream = await Session.AcceptStreamAsync(TestContext.Current.CancellationToken).Guarded();
        Assert.NotNull(stream);
        return stream;
    }

    /// <summary>The pong comes after all that the far end had to say before.</summary>
    public Task PingAsync() => Session.PingAsync(TestContext.Current.CancellationToken).Guarded();

    /// <summary>Closes our session; nothing may be left, and the far end must have ended content.</summary>
    public async Task EndAsync()
    {
        await Session.DisposeAsync().Guarded();
        await Peer.SucceedAsync();
        Assert.Equal(0, Session.StreamCount);
        Assert.Empty(Peer.Complaints);
    }

    public async ValueTask DisposeAsync()
    {
        Session.Abort();
        await Session.DisposeAsync();
        await Peer.DisposeAsync();
        TestContext.Current.TestOutputHelper?.WriteLine(Frames.ToString());
    }

    private static string[] Option(string name, int? value) => value is { } number ? [name, number.ToString(CultureInfo.InvariantCulture)] : [];

    private static async Task<JavaScriptPair> ConnectAsync(NodePeerPackage package, List<string> arguments)
    {
        var peer = await package.StartPeerAsync([.. arguments, "--listen", "127.0.0.1:0"]);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(await peer.AddressAsync(), TestContext.Current.CancellationToken);
            return new JavaScriptPair(peer, socket, YamuxRole.Client);
        }
        catch
        {
            socket.Dispose();
            await peer.DisposeAsync();
            throw;
        }
    }

    private static async Task<JavaScriptPair> ListenAsync(NodePeerPackage package, List<string> arguments)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var peer = await package.StartPeerAsync([.. arguments, "--connect", listener.LocalEndPoint!.ToString()!]);
        try
        {
            var socket = await listener.AcceptAsync(TestContext.Current.CancellationToken).Guarded();
            socket.NoDelay = true;
            return new JavaScriptPair(peer, socket, YamuxRole.Server);
        }
        catch
        {
            await peer.DisposeAsync();
            throw;
        }
    }
}
