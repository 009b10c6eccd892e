using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Yamux;

namespace Backchannel.Tests.Docs;

/// <summary>What docs/yamux.md shows.</summary>
[SuppressMessage("Reliability", "CA2016", Justification = "The local functions pass it on; the page shows the calls alone.")]
internal static class YamuxSnippets
{
    public static async Task<string?> PlayAsync(CancellationToken cancellationToken)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var accepting = listener.AcceptTcpClientAsync(cancellationToken).AsTask();
        using var dialled = new TcpClient();
        await dialled.ConnectAsync((IPEndPoint)listener.LocalEndpoint, cancellationToken);
        using var accepted = await accepting;

        await using var client = YamuxSession.Create(dialled.GetStream(), YamuxRole.Client);
        await using var server = YamuxSession.Create(accepted.GetStream(), YamuxRole.Server);

        var serving = AcceptAsync(server, cancellationToken);
        var answer = await AskAsync(client, cancellationToken);
        await CloseAsync(client, cancellationToken);
        await serving;
        return answer;
    }

    public static void Listen(KestrelServerOptions kestrel)
    {
        kestrel.ListenLocalhost(4000, listen => listen.Run(async connection =>
        {
            await using var session = connection.CreateYamuxSession(YamuxRole.Server);
            var stopping = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
            var calls = new List<Task>();
            try
            {
                await foreach (var stream in session.AcceptStreamsAsync(stopping))
                {
                    calls.RemoveAll(call => call.IsCompleted);
                    calls.Add(ServeAsync(stream));                            // it catches what the end of a stream throws
                }
            }
            catch (Exception end) when (end is YamuxException or OperationCanceledException)
            {
                // The connection was lost, or the server stops.
            }

            await Task.WhenAll(calls);
        }));

        static Task ServeAsync(YamuxStream stream) => YamuxSnippets.ServeAsync(stream, CancellationToken.None);
    }

    private static async Task AcceptAsync(YamuxSession session, CancellationToken cancellationToken)
    {
        var calls = new List<Task>();
        await foreach (var stream in session.AcceptStreamsAsync(cancellationToken))
        {
            calls.Add(ServeAsync(stream));                                    // until the peer closes the session, or this end does
        }

        await Task.WhenAll(calls);

        Task ServeAsync(YamuxStream stream) => YamuxSnippets.ServeAsync(stream, cancellationToken);
    }

    private static async Task<string?> AskAsync(YamuxSession session, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = await session.OpenStreamAsync(cancellationToken);
            await stream.WriteAsync("question\n"u8.ToArray(), completeWrites: true, cancellationToken);   // and FIN behind it
            using var reader = new StreamReader(stream.AsStream());
            return await reader.ReadToEndAsync(cancellationToken);
        }
        catch (YamuxException failure) when (failure.ErrorCode == YamuxErrorCode.StreamReset)
        {
            return null;                                                      // the peer has given this stream up; the session goes on
        }
    }

    private static async Task ServeAsync(YamuxStream stream, CancellationToken cancellationToken)
    {
        await using (stream)
        {
            await stream.Input.CopyToAsync(stream.Output, cancellationToken); // gives the peer credit for what was passed on
        }
    }

    private static async Task CloseAsync(YamuxSession session, CancellationToken cancellationToken)
    {
        await session.CloseAsync(drain: TimeSpan.FromSeconds(10), cancellationToken);
    }
}
