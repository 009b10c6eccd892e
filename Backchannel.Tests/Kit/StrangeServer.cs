using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Backchannel.Tests.Kit;

/// <summary>A server that knows neither HTTP/2 nor the backchannel: it says what it is told to, and keeps the connection or closes it.</summary>
internal sealed class StrangeServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly byte[] _answer;
    private readonly bool _closes;
    private readonly X509Certificate2? _certificate;
    private readonly Task _accepting;

    /// <param name="answer">What it says.</param>
    /// <param name="closes">Whether it then closes its half.</param>
    /// <param name="certificate">If not null, it says it inside TLS, without having negotiated anything.</param>
    public StrangeServer(ReadOnlySpan<byte> answer, bool closes = false, X509Certificate2? certificate = null)
    {
        _answer = answer.ToArray();
        _closes = closes;
        _certificate = certificate;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Address(string scheme) => $"{scheme}://{_listener.LocalEndpoint}";

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting.Guarded();
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                serving.Add(ServeAsync(await _listener.AcceptSocketAsync(_stop.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            await using Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (_certificate is null)
            {
                await ServeAsync(stream, socket);
                return;
            }

            await using var secure = new SslStream(stream);
            await secure.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _stop.Token);
            await ServeAsync(secure, socket);
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException)
        {
            // The client has gone, or the test has ended.
        }
    }

    private async Task ServeAsync(Stream stream, Socket socket)
    {
        await stream.ReadAtLeastAsync(new byte["backchannel".Length], "backchannel".Length, throwOnEndOfStream: false, _stop.Token);
        await stream.WriteAsync(_answer, _stop.Token);
        if (_closes)
        {
            socket.Shutdown(SocketShutdown.Send);
        }

        await stream.CopyToAsync(Stream.Null, _stop.Token);
    }
}
