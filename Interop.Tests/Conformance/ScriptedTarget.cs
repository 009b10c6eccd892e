using System.Net;
using System.Net.Sockets;
using Interop.Tests.Support;

namespace Interop.Tests.Conformance;

/// <summary>A target that reads so many bytes of each connection, answers with bytes that were fixed before, and reads on to the end.</summary>
internal sealed class ScriptedTarget : IAsyncDisposable
{
    private readonly CancellationTokenSource _disposed = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Task _serving;

    /// <param name="reads">How many bytes it reads before it answers.</param>
    /// <param name="answer">The answer, in hexadecimal.</param>
    public ScriptedTarget(int reads, string answer)
    {
        _listener.Start();
        _serving = ServeAsync(new byte[reads], Convert.FromHexString(answer));
    }

    public string Address => $"{_listener.LocalEndpoint}";

    public async ValueTask DisposeAsync()
    {
        await _disposed.CancelAsync();
        await _serving.Guarded();
        _listener.Dispose();
        _disposed.Dispose();
    }

    private async Task ServeAsync(byte[] question, byte[] answer)
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync(_disposed.Token);
                await using var stream = client.GetStream();
                await stream.ReadExactlyAsync(question, _disposed.Token);
                await stream.WriteAsync(answer, _disposed.Token);
                await stream.CopyToAsync(Stream.Null, _disposed.Token);
            }
        }
        catch (OperationCanceledException) when (_disposed.IsCancellationRequested)
        {
            // The test is over.
        }
    }
}
