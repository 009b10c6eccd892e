using System.Net.Sockets;
using System.Security.Authentication;

namespace Backchannel;

/// <summary>A socket under TLS. A server whose answer is not TLS, or is no HTTP/2, is named as such: <c>SslStream</c> says that a frame was corrupt.</summary>
internal sealed class TlsConnection(Socket socket, string address, bool isProxy) : NetworkStream(socket, ownsSocket: true)
{
    // Type, version, length; then level and description.
    private const int AlertLength = 7;
    private const byte FirstType = 20;
    private const byte LastType = 24;
    private const byte AlertType = 21;
    private const byte NoApplicationProtocol = 120;

    private readonly byte[] _first = new byte[AlertLength];
    private int _length;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = base.ReadAsync(buffer, cancellationToken);
        return _length == AlertLength || buffer.IsEmpty ? read : LookAsync(read, buffer);
    }

    private async ValueTask<int> LookAsync(ValueTask<int> read, Memory<byte> buffer)
    {
        var count = await read.ConfigureAwait(false);
        var part = buffer.Span[..Math.Min(count, AlertLength - _length)];
        part.CopyTo(_first.AsSpan(_length));
        _length += part.Length;
        if (_length == 0)
        {
            throw Failure(
                "The server closed the connection.",
isProxy
                    ? $"The proxy {address} took the connection and closed it instead of answering TLS. If it speaks none, the proxy's address must begin with http://."
                    : $"{address} took the connection and closed it instead of answering TLS. If it speaks none, the address must begin with http://; if it does, it has refused this client.");
        }

        if (_first[0] is < FirstType or > LastType)
        {
            throw Failure(
                "The server does not speak TLS.",
                isProxy
                    ? $"The proxy {address} does not speak TLS: the proxy's address must begin with http://."
                    : $"{address} does not speak TLS: the address must begin with http://, or its endpoint must call listen.UseHttps().");
        }

        if (_first[0] == AlertType && _first[^1] == NoApplicationProtocol && !isProxy)
        {
            throw Failure("The server offers no HTTP/2.", ConnectFailure.NoHttp2(address));
        }

        return count;
    }

    private static BackchannelConnectException Failure(string cause, string message) => new(message, new AuthenticationException(cause));
}
