using System.Net;
using System.Net.Sockets;
using Backchannel;
using Backchannel.V1;
using Benchmarks.Grpc;
using Grpc.Core;
using Grpc.Net.Client;

namespace Benchmarks.Agents;

/// <summary>One client, with a connection of its own.</summary>
internal sealed class Agent
{
    private static readonly Note Note = new() { Text = "here" };

    private readonly AgentKind _kind;
    private readonly string _name;
    private readonly GrpcChannel _channel;

    /// <param name="kind">How it holds its connection.</param>
    /// <param name="name">What it is called, if it attaches.</param>
    /// <param name="server">Where the server listens.</param>
    /// <param name="host">
    /// What the server calls. All clients share it: each would have one in a process of its own, and what thousands of them in one process cost would be measured instead of their connections.
    /// </param>
    public Agent(AgentKind kind, string name, IPEndPoint server, BackchannelHost host)
    {
        _kind = kind;
        _name = name;

        // Which is another one for each client: those that have the same would share a connection.
        var handler = new SocketsHttpHandler { UseProxy = false, ConnectCallback = ConnectAsync };
        _channel = GrpcChannel.ForAddress($"http://{server}", new GrpcChannelOptions { HttpHandler = kind.IsMultiplexed() ? handler.UseBackchannel(host) : handler, DisposeHttpClient = true });
    }

    /// <summary>Connects, and has an answer to its first call.</summary>
    public Task ConnectAsync() => _kind switch
    {
        AgentKind.PlainStream => HoldAsync(new Load.LoadClient(_channel).Hold(Note)),
        AgentKind.Attached => HoldAsync(new Attachment.AttachmentClient(_channel).Attach(new AttachRequest { Name = _name })),
        _ => CallAsync(),
    };

    /// <summary>One call to the server.</summary>
    public async Task CallAsync() => await new Load.LoadClient(_channel).EchoAsync(Note);

    private static async Task HoldAsync<T>(AsyncServerStreamingCall<T> call)
    {
        if (!await call.ResponseStream.MoveNext(CancellationToken.None))
        {
            throw new EndOfStreamException("The stream that is to stay open has ended.");
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
