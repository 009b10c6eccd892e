using System.Net.Sockets;

namespace Voting.CommandLine;

/// <summary>Says why a server cannot listen, and what to do.</summary>
internal static class ListenFailure
{
    public static async Task<string> ExplainAsync(Address address, Exception error)
    {
        if (address.EndPoint is UnixDomainSocketEndPoint unix && File.Exists(unix.ToString()))
        {
            return await IsServedAsync(unix)
                ? $"{address} is in use by another server: choose another path, or stop that server."
                : $"{address} exists and no server answers there: if it is left over from a server that was killed, remove it with: rm {unix}";
        }

        if (address.EndPoint is UnixDomainSocketEndPoint path && !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path.ToString()))))
        {
            return $"cannot listen on {address}: there is no such folder. Make it, or choose another path.";
        }

        var reason = error.GetBaseException();
        return reason is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse }
            ? $"{address} is in use by another program: choose another port (0 takes a free one), or stop that program."
            : $"cannot listen on {address}: {reason.Message}. Choose another address.";
    }

    private static async Task<bool> IsServedAsync(UnixDomainSocketEndPoint endPoint)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(endPoint);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
