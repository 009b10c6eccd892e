using System.Net;
using System.Net.Sockets;
using Benchmarks.CommandLine;
using Benchmarks.Wire;

namespace Benchmarks.Serve;

/// <summary>Accepts connections and serves each.</summary>
internal sealed class Server(IImplementation implementation, WireSettings settings) : IAsyncDisposable
{
    private const int Backlog = 1024;

    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
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

    /// <summary>Runs until it is told to stop, or a client breaks the wire.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var accepted = _listener!.AcceptAsync(cancellationToken).AsTask();
                await await Task.WhenAny(accepted, _failed.Task);
                _ = Task.Run(async () => await ServeAsync(await accepted), CancellationToken.None);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    public ValueTask DisposeAsync()
    {
        _listener?.Dispose();
        return default;
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            await implementation.ServeAsync(await Transport.AcceptAsync(socket, settings.Tls), settings);
        }
        catch (Exception error) when (error is IOException or SocketException or ObjectDisposedException)
        {
            // The client has gone, which is how each measurement ends.
        }
        catch (Exception error)
        {
            _failed.TrySetException(error);
        }
    }
}
