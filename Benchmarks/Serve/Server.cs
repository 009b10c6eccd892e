using System.Net;
using System.Net.Sockets;
using Benchmarks.CommandLine;
using Benchmarks.Wire;

namespace Benchmarks.Serve;

/// <summary>Accepts connections and serves each.</summary>
internal sealed class Server(IImplementation implementation, WireSettings settings) : IDisposable
{
    private const int Backlog = 1024;

    private static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(100);

    private Socket? _listener;

    /// <summary>Returns the address, with the port that the system may have picked.</summary>
    public IPEndPoint Listen(IPEndPoint address)
    {
        _listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _listener.Bind(address);
        }
        catch (SocketException error)
        {
            throw new ExplainedException($"--listen {address}: {error.Message}.");
        }

        _listener.Listen(Backlog);
        return (IPEndPoint)_listener.LocalEndPoint!;
    }

    /// <summary>Runs until it is told to stop.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                Socket socket;
                try
                {
                    socket = await _listener!.AcceptAsync(cancellationToken);
                }
                catch (SocketException error) when (!cancellationToken.IsCancellationRequested)
                {
                    await Console.Error.WriteLineAsync($"a connection was not accepted: {error.Message}");
                    await Task.Delay(AcceptPause, cancellationToken); // There may be no handle left, and there will be when others end.
                    continue;
                }

                _ = Task.Run(() => ServeAsync(socket), CancellationToken.None);
            }
        }
        catch (Exception error) when (cancellationToken.IsCancellationRequested && error is (OperationCanceledException or SocketException))
        {
        }
    }

    public void Dispose() => _listener?.Dispose();

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            await using var connection = await Transport.AcceptAsync(socket, settings.Tls);
            await implementation.ServeAsync(connection, settings);
        }
        catch (Exception error) when (error is IOException or SocketException or ObjectDisposedException)
        {
            // The client has gone, which is how each measurement ends.
        }
        catch (Exception error)
        {
            await Console.Error.WriteLineAsync($"a connection failed: {error.Message}");
        }
    }
}
