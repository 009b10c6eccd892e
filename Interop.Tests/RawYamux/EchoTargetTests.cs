using System.Net;
using System.Net.Sockets;
using Interop.Tests.Support;
using Yamux;

namespace Interop.Tests.RawYamux;

/// <summary>The targets of the conformance tool, met by our engine, so that what the tool finds in them is not a fault of their own program.</summary>
public sealed class EchoTargetTests(GoPeerBinary go, NodePeerPackage node)
{
    private const int Streams = 10;

    public enum Target
    {
        Go,
        Node,
    }

    public static TheoryData<Target> Targets { get; } = [Target.Go, Target.Node];

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task A_target_that_listens_echoes_each_stream_to_its_end(Target target)
    {
        await using var peer = await StartAsync(target, "listen", "127.0.0.1:0");
        var address = await peer.AddressAsync();

        // The second connection shows that the target outlives one that was cut off, the third one that ended well.
        await ExchangeAsync(await ConnectAsync(address), YamuxRole.Client, cutOff: true);
        await ExchangeAsync(await ConnectAsync(address), YamuxRole.Client);
        await ExchangeAsync(await ConnectAsync(address), YamuxRole.Client);

        peer.CloseInput();
        await peer.SucceedAsync();
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task A_target_that_connects_echoes_each_stream_to_its_end_and_connects_again(Target target)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        await using var peer = await StartAsync(target, "connect", listener.LocalEndPoint!.ToString()!);

        await ExchangeAsync(await AcceptAsync(listener), YamuxRole.Server, cutOff: true);
        await ExchangeAsync(await AcceptAsync(listener), YamuxRole.Server);
        await ExchangeAsync(await AcceptAsync(listener), YamuxRole.Server);

        peer.CloseInput();
        await peer.SucceedAsync();
    }

    private static async Task ExchangeAsync(Socket socket, YamuxRole role, bool cutOff = false)
    {
        socket.NoDelay = true;
        await using var session = YamuxSession.Create(
            new NetworkStream(socket, ownsSocket: true), role, new YamuxOptions { EnableKeepAlive = false });
        await Task.WhenAll(Enumerable.Range(0, Streams).Select(index => Payload.SendAsync(session, index))).Guarded();

        if (cutOff)
        {
            await using var stream = await session.OpenStreamAsync(TestContext.Current.CancellationToken).Guarded();
            await stream.Output.WriteAsync(new byte[1000], TestContext.Current.CancellationToken).Guarded();
            session.Abort();
        }
    }

    private static async Task<Socket> ConnectAsync(IPEndPoint address)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address, TestContext.Current.CancellationToken);
        return socket;
    }

    private static Task<Socket> AcceptAsync(Socket listener) => listener.AcceptAsync(TestContext.Current.CancellationToken).Guarded();

    private async Task<ForeignPeer> StartAsync(Target target, string mode, string address) => target switch
    {
        Target.Go => go.Start("conformance", $"-{mode}", address),
        _ => await node.StartTargetAsync($"--{mode}", address),
    };
}
