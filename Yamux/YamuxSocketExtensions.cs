using System.Net.Sockets;

namespace Yamux;

/// <summary>What the socket under a session should be set to.</summary>
public static class YamuxSocketExtensions
{
    private const int UnsentLimit = 64 * 1024;
    private const int TcpLevel = 6;
    private const int TcpNotSentLowWaterMarkOnLinux = 25;
    private const int TcpNotSentLowWaterMarkOnMacOS = 0x201;

    /// <summary>
    /// Sets a TCP socket so that a session can tell a slow connection from a dead one, and small frames are not late: the kernel holds
    /// little that is not sent (64 KiB, TCP_NOTSENT_LOWAT), and sends what it has at once (<see cref="Socket.NoDelay"/>).
    /// </summary>
    /// <remarks>
    /// <para><see cref="YamuxSession.Create(Stream, YamuxRole, YamuxOptions?, Microsoft.Extensions.Logging.ILogger?)"/> does it itself for a
    /// <see cref="NetworkStream"/>. Call it where the session sees something else: for the socket under TLS, or under a transport of Kestrel's.</para>
    /// <para>Without the limit some megabytes may stand in the kernel, before whatever is sent next, and its buffer has room again only
    /// when a third of it is free: on a slow link that is minutes in which a session sees nothing move.</para>
    /// </remarks>
    /// <param name="socket">The socket, connected or not.</param>
    /// <returns>
    /// True if the limit is set. False where there is none: on systems other than Linux and macOS, for what is not TCP, and for a socket
    /// that is closed, of which whoever uses it will learn.
    /// </returns>
    public static bool ConfigureForYamux(this Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        if (socket.SocketType != SocketType.Stream || socket.AddressFamily is not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6))
        {
            return false;
        }

        try
        {
            socket.NoDelay = true;
            if (LimitOption() is not { } option)
            {
                return false;
            }

            socket.SetRawSocketOption(TcpLevel, option, BitConverter.GetBytes(UnsentLimit));
            return true;
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // The system refuses it, or the socket is closed. Neither is a reason not to begin: the first works without, and the next
            // read or write tells of the second.
            return false;
        }
    }

    private static int? LimitOption()
    {
        if (OperatingSystem.IsLinux())
        {
            return TcpNotSentLowWaterMarkOnLinux;
        }

        return OperatingSystem.IsMacOS() ? TcpNotSentLowWaterMarkOnMacOS : null;
    }
}
