using System.Net.Sockets;
using Yamux;

namespace Backchannel.Tests.Kit;

/// <summary>A client that says it is multiplexed, opens its stream, and leaves the rest to the test.</summary>
internal sealed class RawClient : IAsyncDisposable
{
    public RawClient(TestServer server)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Connect("127.0.0.1", new Uri(server.Address).Port);
        var stream = new NetworkStream(socket, ownsSocket: true);
        stream.Write("backchannel"u8);
        Session = YamuxSession.Create(stream, YamuxRole.Client, new YamuxOptions { EnableKeepAlive = false, StreamOpenTimeout = Timeout.InfiniteTimeSpan }); // It ends nothing by itself.
        First = Session.OpenStreamAsync().AsTask();
    }

    public YamuxSession Session { get; }

    /// <summary>The stream of the client's own HTTP/2 connection.</summary>
    public Task<YamuxStream> First { get; }

    public ValueTask DisposeAsync() => Session.DisposeAsync();
}
