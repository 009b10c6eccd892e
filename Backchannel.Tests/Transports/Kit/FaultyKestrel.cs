using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Yamux.Tests.Kit;

namespace Backchannel.Tests.Transports.Kit;

/// <summary>A real Kestrel, whose ends of connections have faults.</summary>
internal sealed class FaultyKestrel : IAsyncDisposable
{
    private readonly ConcurrentDictionary<int, TaskCompletionSource<FaultyConnection>> _expected = new(); // By the client's port.
    private readonly WebApplication _app;

    private FaultyKestrel()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Run(ServeAsync)));
        _app = builder.Build();
    }

    public static async Task<FaultyKestrel> StartAsync()
    {
        var kestrel = new FaultyKestrel();
        await kestrel._app.StartAsync().Guarded();
        return kestrel;
    }

    /// <summary>A connection of a client's to it.</summary>
    public async Task<(IFaultyEnd Client, IFaultyEnd Server)> ConnectAsync(TransportFault? clientFault, TransportFault? serverFault)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var accepted = new TaskCompletionSource<FaultyConnection>(TaskCreationOptions.RunContinuationsAsynchronously);
        _expected[((IPEndPoint)socket.LocalEndPoint!).Port] = accepted;
        await socket.ConnectAsync(IPEndPoint.Parse(new Uri(_app.Urls.Single()).Authority)).Guarded();
        var server = await accepted.Task.Guarded();
        return (new FaultyNetworkStream(new NetworkStream(socket, ownsSocket: true), clientFault), server.With(serverFault));
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync().Guarded();
        await _app.DisposeAsync().ConfigureAwait(false);
    }

    private async Task ServeAsync(ConnectionContext connection)
    {
        var end = new FaultyConnection(connection);
        _expected.TryRemove(((IPEndPoint)connection.RemoteEndPoint!).Port, out var expected);
        expected!.SetResult(end);
        var session = await end.Session;
        await session.Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
