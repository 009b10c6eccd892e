using System.Net;
using System.Net.Sockets;

namespace Yamux.Tests.Face;

/// <summary>What a session sets of its socket, so that a slow connection is not taken for a dead one.</summary>
public class SocketTests
{
    [Fact]
    public async Task A_session_over_a_socket_keeps_little_unsent_in_the_kernel_and_sends_small_frames_at_once()
    {
        var (first, second) = await Loopback.ConnectAsync();
        first.Socket.NoDelay = false;

        await using var session = YamuxSession.Create(first, YamuxRole.Client, new YamuxOptions { TimeProvider = new TestTime() });

        Assert.True(first.Socket.NoDelay);
        if (OperatingSystem.IsLinux())
        {
            var limit = new byte[4];
            first.Socket.GetRawSocketOption(6, 25, limit);
            Assert.Equal(64 * 1024, BitConverter.ToInt32(limit));
        }

        session.Abort();
        await session.Completion.Guarded();
        await second.DisposeAsync();
    }

    [Fact]
    public async Task It_can_be_set_for_a_socket_that_the_session_does_not_see()
    {
        var (first, second) = await Loopback.ConnectAsync();
        first.Socket.NoDelay = false;

        var limited = first.Socket.ConfigureForYamux();

        Assert.True(first.Socket.NoDelay);
        Assert.Equal(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), limited);
        await first.DisposeAsync();
        await second.DisposeAsync();
    }

    [Fact]
    public void Sockets_without_such_options_are_left_alone()
    {
        using var unix = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Dispose();

        Assert.False(unix.ConfigureForYamux());
        Assert.False(udp.ConfigureForYamux());
        Assert.False(closed.ConfigureForYamux());
        Assert.Throws<ArgumentNullException>(() => YamuxSocketExtensions.ConfigureForYamux(null!));
    }

    [Fact]
    public async Task A_session_over_a_socket_that_is_closed_is_a_lost_connection()
    {
        var (first, second) = await Loopback.ConnectAsync();
        first.Socket.Dispose();

        await using var session = YamuxSession.Create(first, YamuxRole.Client, new YamuxOptions { TimeProvider = new TestTime() });

        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, session.Completion);
        await second.DisposeAsync();
    }

    /// <summary>
    /// Only the reading of the far end moves the clock. Between the ends of two writes it cannot read more than the kernel holds and one
    /// write, which is less than 10 s: how fast this machine is does not matter.
    /// </summary>
    [Fact]
    public async Task An_upload_over_a_link_of_50_kB_a_second_outlives_ConnectionWriteTimeout()
    {
        const int Rate = 50_000, Piece = 16 * 1024, Pieces = 250;
        var (near, far) = await ConnectAsync(receiveBuffer: 16 * 1024);
        var time = new TestTime();
        var options = new YamuxOptions { TimeProvider = time, EnableKeepAlive = false };
        await using var session = YamuxSession.Create(near, YamuxRole.Client, options);
        var stream = await session.OpenStreamAsync().Guarded();
        await far.WriteAsync(Frame.Ack(1, Piece * Pieces).ToBytes()).AsTask().Guarded();
        await stream.Acknowledged.Guarded();
        var buffer = new byte[4096];
        var carried = 0L;

        for (var i = 0; i < Pieces; i++)
        {
            var write = stream.Output.WriteAsync(Bytes.Pattern(Piece)).AsTask();
            while (!write.IsCompleted)
            {
                var count = await far.ReadAsync(buffer).AsTask().Guarded();
                carried += count;
                time.Advance(TimeSpan.FromSeconds((double)count / Rate));
            }

            await write.Guarded();
        }

        // The kernel held so little that most of the upload took its time.
        Assert.InRange(carried, Piece * Pieces * 3 / 4, Piece * Pieces);
        Assert.False(session.Completion.IsCompleted);
        session.Abort();
        await session.Completion.Guarded();
        await far.DisposeAsync();
    }

    private static async Task<(NetworkStream Near, NetworkStream Far)> ConnectAsync(int receiveBuffer)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = receiveBuffer };
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var near = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var connect = near.ConnectAsync(listener.LocalEndPoint!);
        var far = await listener.AcceptAsync().Guarded();
        await connect.Guarded();
        return (new NetworkStream(near, ownsSocket: true), new NetworkStream(far, ownsSocket: true));
    }
}
