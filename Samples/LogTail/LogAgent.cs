using System.Net;
using System.Net.Sockets;
using Backchannel;
using Grpc.Core;
using Grpc.Net.Client;
using LogTail.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace LogTail;

/// <summary>An agent: it connects to its server, listens on nothing, and does what the server asks over that connection.</summary>
internal sealed class LogAgent : IAsyncDisposable
{
    private readonly BackchannelHost _host;
    private readonly GrpcChannel _channel;
    private readonly IPEndPoint _server;

    public LogAgent(IPEndPoint server, string folder)
    {
        _server = server;
        _host = BackchannelHost.Create(
            services =>
            {
                services.AddGrpc();
                services.AddSingleton(new AgentFolder(folder));
            },
            endpoints => endpoints.MapGrpcService<FileService>());
        _channel = GrpcChannel.ForAddress(
            $"http://{server}", new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler { UseProxy = false }.UseBackchannel(_host), DisposeHttpClient = true });
    }

    /// <summary>Attaches to the server, which has the file when this returns.</summary>
    /// <returns>How many bytes it has got.</returns>
    public async Task<long> RunAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return (await new Protocol.Server.ServerClient(_channel).AttachAsync(new Hello { Name = name }, cancellationToken: cancellationToken)).Bytes;
        }
        catch (RpcException error) when (error.StatusCode == StatusCode.Cancelled && cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (RpcException error) when (error.Status.DebugException?.GetBaseException() is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
        {
            throw new ExplainedException($"no server answers at {_server}. Start one: server --listen {_server}");
        }
        catch (RpcException error) when (error.StatusCode == StatusCode.Unimplemented)
        {
            throw new ExplainedException($"{_server} is no server of this sample: {PrintableText.Of(error.Status.Detail)}");
        }
        catch (RpcException error) when (error is { StatusCode: StatusCode.Unavailable, Status.DebugException: { } cause })
        {
            throw new IOException($"the connection to {_server} has failed: {cause.GetBaseException().Message}", error);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _host.DisposeAsync();
    }
}
