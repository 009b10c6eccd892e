using System.Net;
using System.Net.Sockets;
using System.Text;
using Backchannel.Tests.Kit;
using Yamux;

namespace Backchannel.Tests.Replicas.Kit;

/// <summary>Whoever comes to the endpoint of links by hand.</summary>
internal sealed class LinkClient : IAsyncDisposable
{
    private readonly Stream _connection;

    private LinkClient(Stream connection, YamuxSession session)
    {
        _connection = connection;
        Session = session;
    }

    public YamuxSession Session { get; }

    public static async Task<LinkClient> ConnectAsync(Replica replica, string magic = "replicalink")
    {
        var connection = await ConnectOnlyAsync(replica);
        await connection.WriteAsync(Encoding.ASCII.GetBytes(magic));
        return new LinkClient(connection, YamuxSession.Create(connection, YamuxRole.Client));
    }

    public static async Task<NetworkStream> ConnectOnlyAsync(Replica replica)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, replica.LinkPort)).Guarded();
        return new NetworkStream(socket, ownsSocket: true);
    }

    /// <summary>Sends these bytes on a stream of their own, and reads one byte; null: the stream ended, or was reset.</summary>
    public async Task<byte?> AskAsync(byte[] header, bool complete = false)
    {
        var stream = await Session.OpenStreamAsync().Guarded();
        try
        {
            await stream.WriteAsync(header, completeWrites: complete).Guarded();
            var read = await stream.Input.ReadAsync().Guarded();
            return read.Buffer.IsEmpty ? null : read.Buffer.FirstSpan[0];
        }
        catch (YamuxException reset) when (reset.ErrorCode == YamuxErrorCode.StreamReset)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Session.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
